import type { Identity } from '../../identities/types.ts'
import { type Micros, parseTime } from '../../kernel/base/clock.ts'
import { sessionMembers } from '../answer.ts'
import type { ListedSession } from './store.ts'

type IdentityAnswer = (identity: Identity) => Record<string, unknown>

/** A session of one identity, to its owner or an admin: complete but for the addresses and the schema's URL. */
export function ownListAnswer(session: ListedSession, now: Micros, identityAnswer: IdentityAnswer) {
  const identity = session.identity && { ...withoutAddresses(identityAnswer(session.identity)), schema_url: '' }
  return shown(session, now, identity)
}

/** A session in the list of everyone's sessions. */
export function adminListAnswer(session: ListedSession, now: Micros, identityAnswer: IdentityAnswer) {
  return shown(session, now, session.identity && withoutAddresses(identityAnswer(session.identity)))
}

/** Whether it lets anyone in, as far as is known: without its identity, the state of that one is not looked at. */
export function isLive(
  session: Omit<ListedSession, 'listedAt' | 'lastSeen' | 'devices' | 'cut'>,
  now: Micros,
): boolean {
  return (
    session.active &&
    !session.tombstoned &&
    parseTime(session.expires_at) > now &&
    session.identity?.state !== 'inactive'
  )
}

function shown(session: ListedSession, now: Micros, identity: Record<string, unknown> | null) {
  const devices = session.devices?.length === 0 ? null : session.devices
  const members = sessionMembers(
    { ...session, devices: [] },
    { active: isLive(session, now), aal: session.aal, identity, devices },
  )
  return session.lastSeen === null ? members : { ...members, last_seen_at: session.lastSeen }
}

/** A list does not read addresses: none shown is true, an empty list would say that there are none. */
function withoutAddresses(identity: Record<string, unknown>): Record<string, unknown> {
  const { verifiable_addresses: _verifiable, recovery_addresses: _recovery, ...rest } = identity
  return rest
}
