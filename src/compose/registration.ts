import { createRegistrationFlow } from '../flows/registration/flow.ts'
import { createRegistrationStore } from '../flows/registration/store.ts'
import type { FlowParts } from './flows.ts'
import type { Methods } from './methods.ts'

export function composeRegistration(d: FlowParts & Methods) {
  const registration = createRegistrationFlow({
    config: d.config,
    clock: d.clock,
    random: d.random,
    db: d.db,
    schemas: d.schemas,
    sessions: d.sessions,
    identities: d.identities,
    identityAnswer: d.identityAnswer,
    urls: d.flowUrls,
    hooks: d.hooks,
    oauth2: d.oauth2,
    exchanges: d.exchanges,
    methods: d.registrationMethods,
    store: createRegistrationStore(d.db, d.meta.nid),
  })
  return { registration }
}
