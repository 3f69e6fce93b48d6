import { courierDescription } from './courier/openapi.ts'
import { errorsDescription } from './error-containers/openapi.ts'
import { eventsDescription } from './events/openapi.ts'
import { loginDescription } from './flows/login/openapi.ts'
import { flowsDescription } from './flows/openapi.ts'
import { recoveryDescription } from './flows/recovery/openapi.ts'
import { registrationDescription } from './flows/registration/openapi.ts'
import { settingsDescription } from './flows/settings/openapi.ts'
import { verificationDescription } from './flows/verification/openapi.ts'
import { identitiesDescription } from './identities/admin/openapi.ts'
import { openapiDocument } from './kernel/http/openapi/openapi.ts'
import { logoutDescription } from './logout/openapi.ts'
import { opsDescription } from './ops/openapi.ts'
import { sessionsDescription } from './sessions/openapi.ts'
import { webauthnDescription } from './webauthn/openapi.ts'

/** Every operation of both ports. A route that is missing here fails a test. */
export const DESCRIPTIONS = [
  logoutDescription,
  sessionsDescription,
  eventsDescription,
  loginDescription,
  registrationDescription,
  settingsDescription,
  recoveryDescription,
  verificationDescription,
  flowsDescription,
  errorsDescription,
  identitiesDescription,
  courierDescription,
  webauthnDescription,
  opsDescription,
]

/** The API as an OpenAPI document. @param version of this program */
export const apiDocument = (version: string) => openapiDocument(DESCRIPTIONS, version)
