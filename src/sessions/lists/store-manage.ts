import type { Timestamp } from '../../kernel/base/clock.ts'
import { NotLocked, type Queryable, sql } from '../../kernel/db/client.ts'
import { lockIdentity, recordEnds } from '../sql.ts'
import type { OnEnded } from '../types.ts'

const REVOKE_KNOWN = sql(
  'session.revoke_known',
  `with target as (
    select id from sessions where id = $1 and nid = $2
  ), ended as (
    update sessions set active = false from target where sessions.id = target.id and sessions.active
    returning sessions.id, sessions.identity_id
  ), ${recordEnds(`'revoked_by_admin'`, '$3', '$2', '$4::boolean')}
  select (select count(*) from target) as known, (select count(*) from ended) as ended`,
)

/**
 * Only a session that was still live ends here; the others had their end before. Where Kratos shares the table, it
 * would insert the row of a deleted session again at a refresh login, so the tombstone is needed here too.
 */
const DELETE_ALL_OF = sql(
  'session.delete_all_of_identity',
  `with ${lockIdentity('$1', '$2')}, target as (
    select id from sessions where identity_id = (select id from identity) and nid = $2 order by id for update
  ), gone as (
    delete from sessions using target where sessions.id = target.id
    returning sessions.id, sessions.identity_id, sessions.active
  ), ended as (
    select gone.id, gone.identity_id from gone where gone.active
  ), ${recordEnds(`'revoked_by_admin'`, '$3', '$2', '$4::boolean')}
  select (select count(*) from identity) as held, (select count(*) from gone) as known, (select count(*) from ended) as ended`,
)

/** Only what lets someone in now is prolonged: an ended or expired session stays what it is. */
const EXTEND = sql(
  'session.extend',
  `with target as (
    select id from sessions where id = $1 and nid = $2
  ), extended as (
    update sessions set expires_at = $4, updated_at = $3 from target
    where sessions.id = target.id and sessions.active and sessions.expires_at > $3
      and ($5::timestamp is null or sessions.expires_at < $5)
      and not exists (select from lethe.tombstones x where x.session_id = sessions.id)
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
export function createSessionManageStore(db: Queryable, nid: string, shared: boolean, onEnded: OnEnded = () => {}) {
  return {
    /** Ends one session, by an admin. @returns whether it is known, ended before or not */
    async revokeKnown(id: string, now: Timestamp): Promise<boolean> {
      const [row] = await db.query<{ known: number; ended: number }>(REVOKE_KNOWN, [id, nid, now, shared])
      onEnded('revoked_by_admin', row!.ended)
      return row!.known > 0
    },
    /** Ends and deletes all sessions of an identity, by an admin. @returns how many rows there were @throws NotLocked */
    async deleteAllOf(identityId: string, now: Timestamp, on: Queryable = db): Promise<number> {
      const values = [identityId, nid, now, shared]
      const [row] = await on.query<{ held: number; known: number; ended: number }>(DELETE_ALL_OF, values)
      if (row!.held === 0) throw new NotLocked(`${DELETE_ALL_OF.name}: the identity is held, or is not there`)
      onEnded('revoked_by_admin', row!.ended)
      return row!.known
    },
    /** @returns whether the session is known, prolonged or not */
    async extend(id: string, e: Extension): Promise<boolean> {
      return (await db.query(EXTEND, [id, nid, e.now, e.expiresAt, e.onlyIfBefore ?? null])).length > 0
    },
  }
}
