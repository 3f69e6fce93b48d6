import { createIdentities } from '../identities/service.ts'
import { createIdentityStore } from '../identities/store.ts'
import { createAddressStore } from '../identities/store-addresses.ts'
import { createIdentityWriter } from '../identities/store-write.ts'
import { uuid } from '../kernel/base/uuid.ts'
import { createErasure } from '../maintenance/erasure.ts'
import { createErasureStore } from '../maintenance/store-erasure.ts'
import { createIdentityStateEffects } from '../sessions/identity-state.ts'
import { createSessionSuspendStore } from '../sessions/store-suspend.ts'
import type { CourierParts } from './courier.ts'
import type { Base } from './environment.ts'
import type { Sessions } from './sessions.ts'

export type Identities = ReturnType<typeof composeIdentities>

export function composeIdentities(
  d: Base,
  { sessions, locks, sessionRules }: Pick<Sessions, 'sessions' | 'locks' | 'sessionRules'>,
  { notices }: Pick<CourierParts, 'notices'>,
) {
  const { config, clock, random, db, meta, schemas, hasher } = d
  const suspend = createSessionSuspendStore(meta.nid, sessionRules)
  const onEnded = d.metrics.sessionsEnded
  const erasure = createErasure({ clock, store: createErasureStore(db, meta.nid) })
  const identities = createIdentities({
    db,
    clock,
    random,
    schemas,
    hasher,
    locks,
    notices,
    store: createIdentityStore(db, meta.nid),
    addresses: createAddressStore(db, meta.nid),
    writer: createIdentityWriter(meta.nid, () => uuid(random)),
    answers: d.identityAnswers,
    erasure,
    limits: () => config().lethe.limits,
    codes: () => config().selfservice.methods.code,
    sessions: {
      endSessionsOf: (tx, identityId, cause, except) =>
        sessions.revokeAllOf(identityId, cause, { tx, ...(except === undefined ? {} : { except }) }),
      ...createIdentityStateEffects({ config, clock, sessions, suspend, onEnded }),
    },
  })
  return { identities, erasure }
}
