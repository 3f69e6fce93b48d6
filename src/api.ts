import { errorsDescription } from './features/errors/openapi.ts'
import { eventsDescription } from './features/events/openapi.ts'
import { flowsDescription } from './features/flows/openapi.ts'
import { identitiesDescription } from './features/identities/openapi.ts'
import { loginDescription } from './features/login/openapi.ts'
import { logoutDescription } from './features/logout/openapi.ts'
import { registrationDescription } from './features/registration/openapi.ts'
import { sessionsDescription } from './features/sessions/openapi.ts'
import { settingsDescription } from './features/settings/openapi.ts'
import { openapiDocument } from './http/openapi.ts'
import { opsDescription } from './ops/openapi.ts'

/** Every operation of both ports. A route that is missing here fails a test. */
export const DESCRIPTIONS = [
  logoutDescription,
  sessionsDescription,
  eventsDescription,
  loginDescription,
  registrationDescription,
  settingsDescription,
  flowsDescription,
  errorsDescription,
  identitiesDescription,
  opsDescription,
]

/** The API as an OpenAPI document. @param version of this program */
export const apiDocument = (version: string) => openapiDocument(DESCRIPTIONS, version)
