import type { Actor } from '../../sessions/types.ts'
import type { EventAnswer, EventFilter, EventRow } from '../types.ts'

/** An event as clients see it, member by member. */
export function eventAnswer(row: EventRow): EventAnswer {
  const { id, seq, type, cause, session_id, identity_id, device, data } = row
  return {
    id,
    seq,
    type,
    time: row.created_at,
    cause,
    session_id,
    identity_id,
    actor: row.actor ?? actorOf(row),
    device,
    data,
  }
}

/** Most causes imply the actor, so that it need not be stored with every end. */
function actorOf({ type, cause, identity_id }: EventRow): Actor | null {
  if (type === 'session.resumed') return { type: 'admin' }
  switch (cause) {
    case 'identity_disabled':
    case 'identity_deleted':
    case 'revoked_by_admin':
      return { type: 'admin' }
    case 'expired':
    case 'limit':
    case 'idle':
    case 'absolute':
      return { type: 'system' }
    // found by comparing tables, which does not show the actor
    case 'ended_elsewhere':
      return null
    default:
      return identity_id === null ? null : { type: 'identity', id: identity_id }
  }
}

export function matches(filter: EventFilter, event: EventAnswer): boolean {
  const { types, causes, sessionId, identityId } = filter
  return (
    (types === undefined || types.includes(event.type)) &&
    (causes === undefined || (event.cause !== null && causes.includes(event.cause))) &&
    (sessionId === undefined || event.session_id === sessionId) &&
    (identityId === undefined || event.identity_id === identityId)
  )
}
