import { createLoginAttempts } from '../flows/login/attempts.ts'
import { createKnownBrowsers } from '../flows/login/known-browsers.ts'
import { createAttemptStore } from '../flows/login/store-attempts.ts'
import { loginMethods } from '../methods/index.ts'
import type { FlowParts } from './flows.ts'

export type Methods = ReturnType<typeof composeMethods>

/** The sign-in methods, and what those share that can be guessed at. */
export function composeMethods(d: FlowParts) {
  const { config, clock, random } = d
  const { nid, serverSecret } = d.meta
  const attempts = createLoginAttempts({ config, clock, serverSecret, store: createAttemptStore(d.db, nid) })
  const knownBrowsers = createKnownBrowsers({ serverSecret, clock, random })
  return { attempts, knownBrowsers, loginMethods: loginMethods({ ...d, attempts, knownBrowsers }) }
}
