import { createRegistrationFlow } from '../flows/registration/flow.ts'
import { createRegistrationStore } from '../flows/registration/store.ts'
import type { FlowParts } from './flows.ts'

export function composeRegistration(d: FlowParts) {
  const registration = createRegistrationFlow({
    config: d.config,
    clock: d.clock,
    random: d.random,
    db: d.db,
    hasher: d.hasher,
    schemas: d.schemas,
    sessions: d.sessions,
    identities: d.identities,
    urls: d.flowUrls,
    exchanges: d.exchanges,
    breaches: d.breaches,
    store: createRegistrationStore(d.db, d.meta.nid),
  })
  return { registration }
}
