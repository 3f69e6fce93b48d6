import { createLoginAttempts } from '../flows/login/attempts.ts'
import { createGuesses } from '../flows/login/guesses.ts'
import { createKnownBrowsers } from '../flows/login/known-browsers.ts'
import { createAttemptStore } from '../flows/login/store-attempts.ts'
import { createLoginCodeStore } from '../methods/code/login/store.ts'
import { createRegistrationCodeStore } from '../methods/code/store-registration.ts'
import { createSubmissionStore } from '../methods/code/store-submissions.ts'
import { loginMethods, registrationMethods, settingsMethods } from '../methods/index.ts'
import { createTotpStore } from '../methods/totp/store.ts'
import { createKeyPartyStore } from '../webauthn/store.ts'
import type { FlowParts } from './flows.ts'
import type { Providers } from './providers.ts'

export type Methods = ReturnType<typeof composeMethods>

/** The sign-in methods, and the limits that those share whose secrets can be guessed. */
export function composeMethods(d: FlowParts & Providers) {
  const { config, clock, random } = d
  const { nid, serverSecret } = d.meta
  const store = createAttemptStore(d.db, nid)
  const attempts = createLoginAttempts({ config, clock, serverSecret, store })
  const guesses = createGuesses({ config, clock, serverSecret, store })
  const knownBrowsers = createKnownBrowsers({ serverSecret, clock, random })
  const methods = {
    ...d,
    attempts,
    knownBrowsers,
    guesses,
    totp: createTotpStore(d.db, nid),
    keyParties: createKeyPartyStore(d.db),
    loginCodes: createLoginCodeStore(d.db, nid),
    loginSubmissions: createSubmissionStore(d.db, nid, 'login'),
    registrationCodes: createRegistrationCodeStore(d.db, nid),
    registrationSubmissions: createSubmissionStore(d.db, nid, 'registration'),
    secrets: d.cookieSecrets,
    serverSecret,
    publicBaseUrl: d.baseUrls.public,
    publicHost: () => new URL(d.baseUrls.public()).hostname,
  }
  return {
    attempts,
    knownBrowsers,
    guesses,
    loginMethods: loginMethods(methods),
    registrationMethods: registrationMethods(methods),
    settingsMethods: settingsMethods(methods),
  }
}
