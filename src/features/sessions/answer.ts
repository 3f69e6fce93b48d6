import { type Micros, parseTime } from '../../clock.ts'
import type { Identity } from '../identities/types.ts'
import { aalOf } from './aal.ts'
import type { Device, Session } from './types.ts'

/** Whether a session lets anyone in: not ended, not expired, and its identity not disabled. */
export function isUsable(session: Session, now: Micros): boolean {
  return (
    session.active && !session.tombstoned && parseTime(session.expires_at) > now && session.identity.state === 'active'
  )
}

/** A session as clients see it, member by member: nothing else of the row can slip out. */
export function sessionAnswer(
  session: Session,
  now: Micros,
  identityAnswer: (identity: Identity) => Record<string, unknown>,
): Record<string, unknown> {
  return sessionMembers(session, {
    active: isUsable(session, now),
    aal: aalOf(session.authentication_methods),
    identity: identityAnswer(session.identity),
    devices: session.devices.length === 0 ? null : session.devices,
  })
}

/** What differs between the answers that show a session. */
export interface ShownMembers {
  active: boolean
  aal: string
  identity: Record<string, unknown> | null
  devices: readonly Device[] | null
}

export function sessionMembers(session: Omit<Session, 'identity'>, shown: ShownMembers): Record<string, unknown> {
  return {
    id: session.id,
    active: shown.active,
    expires_at: session.expires_at,
    authenticated_at: session.authenticated_at,
    authenticator_assurance_level: shown.aal,
    authentication_methods: session.authentication_methods.map((m) => ({
      ...m,
      aal: m.aal ?? '',
      completed_at: m.completed_at ?? '0001-01-01T00:00:00Z',
    })),
    issued_at: session.issued_at,
    identity: shown.identity,
    devices: shown.devices,
  }
}
