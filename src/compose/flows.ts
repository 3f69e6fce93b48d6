import { continuitySecrets, createContinuityCookie } from '../flows/continuity/cookie.ts'
import { createContinuity } from '../flows/continuity/service.ts'
import { createContinuityStore } from '../flows/continuity/store.ts'
import { createExchangeStore } from '../flows/store.ts'
import { createFlowUrls } from '../flows/urls.ts'
import { createPwnedChecker } from '../kernel/crypto/passwords/pwned.ts'
import { exchange } from '../kernel/outbound/client.ts'
import { addressRules } from '../kernel/outbound/guard.ts'
import { createOauth2AdminClient } from '../oauth2/admin-client.ts'
import { createOauth2 } from '../oauth2/service.ts'
import type { CourierParts } from './courier.ts'
import type { Base } from './environment.ts'
import { composeHooks } from './hooks.ts'
import type { Identities } from './identities.ts'
import type { Sessions } from './sessions.ts'
import type { Web } from './web.ts'

/** What a kind of flow is built from: everything before it in the list of `deps.ts`. */
export type FlowParts = Base & Web & Sessions & Identities & CourierParts & SharedFlowParts
export type SharedFlowParts = ReturnType<typeof composeFlowParts>

/** What all kinds of flows share. */
export function composeFlowParts(base: Base) {
  const { config, dev, clock, random, db, meta, baseUrls } = base
  const { nid, kind } = meta
  const cookieSecrets = () => continuitySecrets(config())
  const continuity = createContinuity({
    clock,
    random,
    store: createContinuityStore(db, nid),
    secrets: cookieSecrets,
    shared: kind === 'adopted',
  })
  const breaches = createPwnedChecker({
    exchange,
    settings: () => config().selfservice.methods.password.config,
    rules: () => addressRules(config()),
  })
  const oauth2Client = createOauth2AdminClient({
    config,
    exchange: (request) => exchange(request, addressRules(config())),
  })
  const flowUrls = createFlowUrls({ config, publicBaseUrl: baseUrls.public })
  return {
    flowUrls,
    ...composeHooks(base, flowUrls),
    oauth2: createOauth2({ config, random, client: oauth2Client }),
    exchanges: createExchangeStore(db, nid),
    continuity,
    cookieSecrets,
    continuityCookie: createContinuityCookie({ config, dev, clock, random }),
    breaches,
  }
}
