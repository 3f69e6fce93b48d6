import { type Clock, formatTime } from '../../clock.ts'
import type { Config } from '../../config/schema.ts'
import type { Queryable } from '../../db/client.ts'
import type { SessionService } from './service.ts'
import type { SessionSuspendStore } from './store-suspend.ts'

/** What becomes of sessions when an operator changes their identity, in the transaction that changes it. */
export interface IdentityStateEffects {
  identityDisabled(tx: Queryable, identityId: string): Promise<unknown>
  identityEnabled(tx: Queryable, identityId: string): Promise<unknown>
  passwordSetByOperator(tx: Queryable, identityId: string): Promise<unknown>
}

export interface IdentityStateDeps {
  config(): Config
  clock: Clock
  sessions: Pick<SessionService, 'revokeAllOf'>
  suspend: SessionSuspendStore
}

/**
 * Sessions of a disabled identity let nobody in, and everyone who listens is told so. Kratos counts them again when the
 * identity is enabled (recorded): then that is told too. With `lethe.sessions.identity_disabled: end` they stay ended.
 */
export function createIdentityStateEffects(d: IdentityStateDeps): IdentityStateEffects {
  return {
    identityDisabled: (tx, identityId) =>
      d.config().lethe.sessions.identity_disabled === 'end'
        ? d.sessions.revokeAllOf(identityId, 'identity_disabled', { tx })
        : d.suspend.suspendAllOf(tx, identityId, formatTime(d.clock.now())),
    // None of them is the operator's own, so `others` means all.
    passwordSetByOperator: async (tx, identityId) =>
      d.config().lethe.sessions.end_on_password_change !== 'none' &&
      d.sessions.revokeAllOf(identityId, 'credentials_changed', { tx }),
    // Ends that were told while it was configured otherwise are taken back too: the rows decide, and they are live.
    identityEnabled: (tx, identityId) => d.suspend.resumeAllOf(tx, identityId, formatTime(d.clock.now())),
  }
}
