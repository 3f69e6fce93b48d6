import { createLoginFlow } from '../flows/login/flow.ts'
import { createLoginStore } from '../flows/login/store.ts'
import { knownBrowserCookieAttributes } from '../kernel/http/cookies.ts'
import type { FlowParts } from './flows.ts'
import type { Methods } from './methods.ts'
import type { Providers } from './providers.ts'
import type { Verification } from './verification.ts'

export function composeLogin(d: FlowParts & Methods & Providers & Verification) {
  const { config, clock, random, db } = d
  const login = createLoginFlow({
    config,
    clock,
    random,
    db,
    schemas: d.schemas,
    sessions: d.sessions,
    identities: d.identities,
    locks: d.locks,
    urls: d.flowUrls,
    hooks: d.hooks,
    oauth2: d.oauth2,
    verification: d.verification,
    exchanges: d.exchanges,
    secondFactorUrl: d.secondFactorUrl,
    waiting: d.waiting,
    store: createLoginStore(db, d.meta.nid),
    methods: d.loginMethods,
    knownBrowsers: d.knownBrowsers,
  })
  const knownBrowserCookie = () => knownBrowserCookieAttributes(config(), d.dev, d.baseUrls.public())
  return { login, knownBrowserCookie }
}
