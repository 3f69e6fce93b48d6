import type { RefusedRegistrations } from '../events/refused-registrations.ts'
import { createRegistrationFlow } from '../flows/registration/flow.ts'
import { createRegistrationStore } from '../flows/registration/store.ts'
import type { FlowParts } from './flows.ts'
import type { Methods } from './methods.ts'
import type { Verification } from './verification.ts'

export function composeRegistration(d: FlowParts & Methods & Verification, refusedRegistrations: RefusedRegistrations) {
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
    refusedRegistrations,
    oauth2: d.oauth2,
    verification: d.verification,
    exchanges: d.exchanges,
    methods: d.registrationMethods,
    store: createRegistrationStore(d.db, d.meta.nid),
  })
  return { registration }
}
