import type { Identity } from '../../identities/types.ts'
import type { Micros } from '../../kernel/base/clock.ts'
import { sessionMembers } from '../answer.ts'
import { isLive } from '../lifecycle.ts'
import type { ListedSession } from './store.ts'

type IdentityAnswer = (identity: Identity) => Record<string, unknown>

/** A session of one identity, for its owner or an operator: complete except for the addresses and the schema's URL. */
export function ownListAnswer(session: ListedSession, now: Micros, identityAnswer: IdentityAnswer) {
  const identity = session.identity && { ...withoutAddresses(identityAnswer(session.identity)), schema_url: '' }
  return shown(session, now, identity)
}

/** A session in the list of all sessions. */
export function adminListAnswer(session: ListedSession, now: Micros, identityAnswer: IdentityAnswer) {
  return shown(session, now, session.identity && withoutAddresses(identityAnswer(session.identity)))
}

function shown(session: ListedSession, now: Micros, identity: Record<string, unknown> | null) {
  const devices = session.devices?.length === 0 ? null : session.devices
  const members = sessionMembers(
    { ...session, devices: [] },
    { active: isLive(session, session.identity?.state, now), aal: session.aal, identity, devices },
  )
  return session.lastSeen === null ? members : { ...members, last_seen_at: session.lastSeen }
}

/** Lists do not read addresses, so they leave the members out: an empty list would say that there are none. */
function withoutAddresses(identity: Record<string, unknown>): Record<string, unknown> {
  const { verifiable_addresses: _verifiable, recovery_addresses: _recovery, ...rest } = identity
  return rest
}
