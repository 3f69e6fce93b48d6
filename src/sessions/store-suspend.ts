import type { Timestamp } from '../kernel/base/clock.ts'
import { type Queryable, sql } from '../kernel/db/client.ts'

/**
 * The rows stay as they are, since the state of the identity alone decides; what is written is the event. A session whose
 * end was told before gets no second one.
 */
const SUSPEND = sql(
  'session.suspend_all_of_identity',
  `with target as (
    select id, identity_id from sessions
    where identity_id = $1 and nid = $2 and active and expires_at > $3
      and not exists (select from lethe.tombstones x where x.session_id = sessions.id)
    order by id for update
  )
  insert into lethe.events (id, type, cause, session_id, identity_id, nid, created_at)
  select gen_random_uuid(), 'session.ended', 'identity_disabled', target.id, target.identity_id, $2, $3 from target
  on conflict do nothing
  returning session_id`,
)

/** Takes back the ends of those that nobody ended meanwhile, and tells it. */
const RESUME = sql(
  'session.resume_all_of_identity',
  `with target as (
    select id from sessions
    where identity_id = $1 and nid = $2 and active and expires_at > $3
      and not exists (select from lethe.tombstones x where x.session_id = sessions.id)
    order by id for update
  ), taken_back as (
    update lethe.events e set resumed = true from target
    where e.session_id = target.id and e.type = 'session.ended' and e.cause = 'identity_disabled' and not e.resumed
    returning e.session_id, e.identity_id
  )
  insert into lethe.events (id, type, session_id, identity_id, nid, created_at)
  select gen_random_uuid(), 'session.resumed', session_id, identity_id, $2, $3 from taken_back
  returning session_id`,
)

/** Ends of which the cause alone does not say that an operator was the one; in the transaction that wrote them. */
const BY_OPERATOR = sql(
  'session.ended_by_operator',
  `update lethe.events set actor = '{"type": "admin"}'
   where session_id = any ($1) and nid = $2 and type = 'session.ended' and not resumed`,
)

export type SessionSuspendStore = ReturnType<typeof createSessionSuspendStore>

/** What is told of the sessions of an identity that is disabled or enabled. Each returns the ids that it told of. */
export function createSessionSuspendStore(nid: string) {
  const run = async (on: Queryable, statement: typeof SUSPEND, identityId: string, now: Timestamp) =>
    (await on.query<{ session_id: string }>(statement, [identityId, nid, now])).map((row) => row.session_id)
  return {
    suspendAllOf: (tx: Queryable, identityId: string, now: Timestamp) => run(tx, SUSPEND, identityId, now),
    async byOperator(tx: Queryable, sessionIds: readonly string[]): Promise<void> {
      if (sessionIds.length > 0) await tx.query(BY_OPERATOR, [sessionIds, nid])
    },
    resumeAllOf: (tx: Queryable, identityId: string, now: Timestamp) => run(tx, RESUME, identityId, now),
  }
}
