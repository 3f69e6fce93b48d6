import type { Config } from '../config/schema/schema.ts'
import { type Clock, formatTime } from '../kernel/base/clock.ts'
import type { Queryable } from '../kernel/db/client.ts'
import type { SessionService } from './service.ts'
import type { SessionSuspendStore } from './store-suspend.ts'
import type { OnEnded } from './types.ts'

/** What happens to sessions when an operator changes their identity, in the same transaction. */
export interface IdentityStateEffects {
  identityDisabled(tx: Queryable, identityId: string): Promise<unknown>
  identityEnabled(tx: Queryable, identityId: string): Promise<unknown>
  passwordSetByOperator(tx: Queryable, identityId: string): Promise<unknown>
  factorsReset(tx: Queryable, identityId: string): Promise<string[]>
}

export interface IdentityStateDeps {
  config(): Config
  clock: Clock
  sessions: Pick<SessionService, 'revokeAllOf'>
  suspend: SessionSuspendStore
  onEnded: OnEnded
}

/**
 * Sessions of a disabled identity are refused, which is an event for each. Kratos accepts them again when the
 * identity is enabled (recorded): that is an event too. With `lethe.sessions.identity_disabled: end` they end for good.
 */
export function createIdentityStateEffects(d: IdentityStateDeps): IdentityStateEffects {
  return {
    async identityDisabled(tx, identityId) {
      if (d.config().lethe.sessions.identity_disabled === 'end') {
        return d.sessions.revokeAllOf(identityId, 'identity_disabled', { tx })
      }
      const told = await d.suspend.suspendAllOf(tx, identityId, formatTime(d.clock.now()))
      d.onEnded('identity_disabled', told.length)
      return told
    },
    // None of them is the operator's own, so `others` means all.
    async passwordSetByOperator(tx, identityId) {
      if (d.config().lethe.sessions.end_on_password_change === 'none') return
      await d.sessions.revokeAllOf(identityId, 'credentials_changed', { tx, actor: { type: 'admin' } })
    },
    factorsReset: (tx, identityId) =>
      d.sessions.revokeAllOf(identityId, 'credentials_changed', { tx, actor: { type: 'admin' } }),
    // Also ends that were recorded under the other setting: the rows decide, and they are live.
    identityEnabled: (tx, identityId) => d.suspend.resumeAllOf(tx, identityId, formatTime(d.clock.now())),
  }
}
