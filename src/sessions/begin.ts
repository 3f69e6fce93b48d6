import { aalOf } from '../credentials/aal.ts'
import { secondFactorOf } from '../credentials/available-aal.ts'
import type { FullIdentity, Identity } from '../identities/types.ts'
import { formatTime, type Micros, type Timestamp } from '../kernel/base/clock.ts'
import { uuid } from '../kernel/base/uuid.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import type { Queryable } from '../kernel/db/client.ts'
import { badRequest } from '../kernel/http/errors.ts'
import type { Rule } from './rules.ts'
import type { SessionStore } from './store.ts'
import type { AuthenticationMethod, DeviceFacts, OnEnded, Session } from './types.ts'

export interface NewSession {
  identity: Identity & Partial<Pick<FullIdentity, 'credentials'>>
  authentication: Omit<AuthenticationMethod, 'completed_at'>
  device: DeviceFacts
  /** chosen before, by `draft` */
  id?: string | undefined
}

/** @param ends when it ends by itself: at the latest, and if it is not used again */
export function newSession(
  d: { random: Random },
  { start, last, next }: { start: Micros; last: Micros; next: Micros },
  { identity, authentication, device, id = uuid(d.random) }: NewSession,
): Session {
  const time = formatTime(start)
  const methods: AuthenticationMethod[] = [{ ...authentication, completed_at: time }]
  return {
    id,
    identity_id: identity.id,
    active: true,
    issued_at: time,
    expires_at: formatTime(next),
    lasts_until: formatTime(last),
    authenticated_at: time,
    aal: aalOf(methods),
    authentication_methods: methods,
    logout_token: '',
    devices: [{ id: uuid(d.random), ...device }],
    identity,
    second_factor: secondFactor(identity),
    tombstoned: false,
  }
}

const secondFactor = ({ credentials = [], available_aal: flag }: NewSession['identity']) =>
  secondFactorOf(credentials) ?? (flag === 'aal2' ? 'set' : null)

/**
 * Makes room for one more session of an identity with a limit, in the transaction that begins it. The identity is
 * locked first, so that two concurrent sign-ins do not both see room for one.
 * @throws 400 when there is none and the rule does not end others for it; NotLocked
 */
export async function makeRoom(
  d: { store: Pick<SessionStore, 'lockIdentity' | 'countLive' | 'endOldest'>; onEnded?: OnEnded | undefined },
  identityId: string,
  { max, whenFull }: Rule,
  now: Timestamp,
  tx: Queryable,
): Promise<void> {
  if (max === undefined) return
  await d.store.lockIdentity(identityId, tx)
  if (whenFull === 'end_oldest') d.onEnded?.('limit', await d.store.endOldest(identityId, max, now, tx))
  else if ((await d.store.countLive(identityId, now, tx)) >= max) throw full(max)
}

const full = (max: number) =>
  badRequest(
    `You are signed in on ${max} ${max === 1 ? 'device' : 'devices'} already, and more are not allowed. Sign out on one of them first.`,
  )
