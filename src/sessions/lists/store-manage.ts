import type { Timestamp } from '../../kernel/base/clock.ts'
import { NotLocked, type Queryable, sql } from '../../kernel/db/client.ts'
import { lastEnd, live } from '../lifecycle.ts'
import { DELETE_ALL_OF, REVOKE_KNOWN } from '../lifecycle-statements.ts'
import { NO_RULES, type RulesSql } from '../rules.ts'
import type { OnEnded } from '../types.ts'

/** Only live sessions are extended: an ended or expired one stays as it is. */
const EXTEND = sql(
  'session.extend',
  `with target as (
    select id from sessions where id = :id and nid = :nid
  ), extended as (
    update sessions set expires_at = ${lastEnd('sessions', undefined, ':expires_at::timestamp')}, updated_at = :now from target
    where sessions.id = target.id and ${live('sessions', ':now')}
      and (:only_if_before::timestamp is null or sessions.expires_at < :only_if_before)
  )
  select id from target`,
)

export interface Extension {
  now: Timestamp
  expiresAt: Timestamp
  /** a session that lasts until then or longer is left alone; undefined: none is */
  onlyIfBefore: Timestamp | undefined
}

export type SessionManageStore = ReturnType<typeof createSessionManageStore>

/** @param shared whether another program writes the same tables, so that ends need a tombstone */
export function createSessionManageStore(
  db: Queryable,
  nid: string,
  shared: boolean,
  onEnded: OnEnded = () => {},
  rules: RulesSql = NO_RULES,
) {
  return {
    /** Ends one session, by an admin. @returns whether it is known, ended before or not */
    async revokeKnown(id: string, now: Timestamp): Promise<boolean> {
      const [row] = await db.query<{ known: number; ended: number }>(REVOKE_KNOWN, { id, nid, now, shared })
      onEnded('revoked_by_admin', row!.ended)
      return row!.known > 0
    },
    /** Ends and deletes all sessions of an identity, by an admin. @returns how many rows there were @throws NotLocked */
    async deleteAllOf(identityId: string, now: Timestamp, on: Queryable = db): Promise<number> {
      const values = { identity_id: identityId, nid, now, shared }
      const [row] = await on.query<{ held: number; known: number; ended: number }>(DELETE_ALL_OF, values)
      if (row!.held === 0) throw new NotLocked(`${DELETE_ALL_OF.name}: the identity is held, or is not there`)
      onEnded('revoked_by_admin', row!.ended)
      return row!.known
    },
    /** @returns whether the session is known, extended or not */
    async extend(id: string, e: Extension): Promise<boolean> {
      const only = { only_if_before: e.onlyIfBefore ?? null, rules: rules.sql() }
      const values = { id, nid, now: e.now, expires_at: e.expiresAt, ...only }
      return (await db.query(EXTEND, values)).length > 0
    },
  }
}
