import { createLoginAttempts } from '../flows/login/attempts.ts'
import { createLoginFlow } from '../flows/login/flow.ts'
import { createKnownBrowsers } from '../flows/login/known-browsers.ts'
import { createLoginStore } from '../flows/login/store.ts'
import { createAttemptStore } from '../flows/login/store-attempts.ts'
import { knownBrowserCookieAttributes } from '../kernel/http/cookies.ts'
import type { FlowParts } from './flows.ts'

export function composeLogin(d: FlowParts) {
  const { config, clock, random, db } = d
  const { nid, serverSecret } = d.meta
  const login = createLoginFlow({
    config,
    clock,
    random,
    log: d.log,
    hasher: d.hasher,
    schemas: d.schemas,
    sessions: d.sessions,
    identities: d.identities,
    locks: d.locks,
    urls: d.flowUrls,
    exchanges: d.exchanges,
    secondFactorUrl: d.secondFactorUrl,
    store: createLoginStore(db, nid),
    attempts: createLoginAttempts({ config, clock, serverSecret, store: createAttemptStore(db, nid) }),
    knownBrowsers: createKnownBrowsers({ serverSecret, clock, random }),
  })
  const knownBrowserCookie = () => knownBrowserCookieAttributes(config(), d.dev, d.baseUrls.public())
  return { login, knownBrowserCookie }
}
