import { aalOf } from '../credentials/aal.ts'
import type { Identity } from '../identities/types.ts'
import type { Micros } from '../kernel/base/clock.ts'
import { isLive } from './lifecycle.ts'
import { methodsOf } from './row.ts'
import type { AuthenticationMethod, Device, Session, SessionRow } from './types.ts'

/** A session as clients see it, member by member: no other part of the row can leak. */
export function sessionAnswer(
  session: Session,
  now: Micros,
  identityAnswer: (identity: Identity) => Record<string, unknown>,
): Record<string, unknown> {
  return sessionMembers(session, {
    active: isLive(session, session.identity.state, now),
    aal: aalOf(session.authentication_methods),
    identity: identityAnswer(session.identity),
    devices: session.devices.length === 0 ? null : session.devices,
  })
}

/**
 * The JSON text of `sessionAnswer`, straight from the row.
 * @param identity JSON text
 */
export function sessionText(row: SessionRow, now: Micros, identity: string): string {
  const methods = methodsOf(row)
  const head = `{"id":"${row.id}","active":${isLive(row, row.state, now)},"expires_at":"${row.expires_at}"`
  const level = `"authenticated_at":"${row.authenticated_at}","authenticator_assurance_level":"${aalOf(methods)}"`
  const shown = `"authentication_methods":${JSON.stringify(methods.map(shownMethod))},"issued_at":"${row.issued_at}"`
  return `${head},${level},${shown},"identity":${identity},"devices":${row.devices}}`
}

/** Members that differ between the answers that show a session. */
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
    authentication_methods: session.authentication_methods.map(shownMethod),
    issued_at: session.issued_at,
    identity: shown.identity,
    devices: shown.devices,
  }
}

/** Rows of old versions lack members that clients rely on. */
function shownMethod(method: AuthenticationMethod): AuthenticationMethod {
  if (method.aal !== undefined && method.completed_at !== undefined) return method
  return { ...method, aal: method.aal ?? '', completed_at: method.completed_at ?? '0001-01-01T00:00:00Z' }
}
