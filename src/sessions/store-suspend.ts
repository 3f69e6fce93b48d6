import type { Timestamp } from '../kernel/base/clock.ts'
import type { Queryable } from '../kernel/db/client.ts'
import { RESUME, SUSPEND } from './lifecycle-statements.ts'
import { NO_RULES, type RulesSql } from './rules.ts'

export type SessionSuspendStore = ReturnType<typeof createSessionSuspendStore>

/** Records what happens to the sessions of an identity that is disabled or enabled. Each returns the ids of those sessions. */
export function createSessionSuspendStore(nid: string, rules: RulesSql = NO_RULES) {
  const run = async (on: Queryable, statement: typeof SUSPEND, identityId: string, now: Timestamp) =>
    (await on.query<{ session_id: string }>(statement, { identity_id: identityId, nid, now, rules: rules.sql() })).map(
      (row) => row.session_id,
    )
  return {
    suspendAllOf: (tx: Queryable, identityId: string, now: Timestamp) => run(tx, SUSPEND, identityId, now),
    resumeAllOf: (tx: Queryable, identityId: string, now: Timestamp) => run(tx, RESUME, identityId, now),
  }
}
