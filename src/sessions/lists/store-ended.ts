import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, sql } from '../../kernel/db/client.ts'
import { endedByRule, nextEnd } from '../lifecycle.ts'
import { NO_RULES, type RulesSql } from '../rules.ts'
import type { EndCause } from '../types.ts'

/** The collector records an end by rule later than it happened. */
const ENDED_AT = `coalesce((e.data ->> 'ended_at')::timestamp, e.created_at)`
const END_OF = (session: string) =>
  `(select e.seq from lethe.events e where e.session_id = ${session} and e.type = 'session.ended' and not e.resumed)`

/**
 * Sessions that have ended by a rule or by expiry are listed before the collector has recorded their end. `begun` repeats
 * the condition of the index of a session's other events.
 */
const LAST_OF = sql(
  'session.last_ended_of_identity',
  `with told as (
    select e.session_id as id, e.cause, ${ENDED_AT} as ended_at from lethe.events e
    where e.identity_id = :identity_id and e.nid = :nid and e.type = 'session.ended' and not e.resumed
    order by e.seq desc limit :limit
  ), own as materialized (
    select s.id, s.identity_id, s.issued_at, s.expires_at, s.authenticated_at from sessions s
    where s.identity_id = :identity_id and s.nid = :nid and s.active
  ), due as (
    select s.id, coalesce(${endedByRule('s', ':now')}, 'expired') as cause, ${nextEnd('s')} as ended_at from own s
    where ${nextEnd('s')} <= :now and ${END_OF('s.id')} is null
    order by 3 desc limit :limit
  ), page as (
    select id, cause, ended_at from told union all select id, cause, ended_at from due order by ended_at desc, id limit :limit
  )
  select page.id, page.cause, page.ended_at, coalesce(s.authenticated_at, begun.created_at) as signed_in_at,
    coalesce(d.user_agent, begun.device ->> 'user_agent', '') as user_agent,
    coalesce(d.ip_address, begun.device ->> 'ip_address', '') as ip_address,
    coalesce(d.location, begun.device ->> 'location', '') as location
  from page left join sessions s on s.id = page.id and s.nid = :nid
    left join lateral (
      select x.user_agent, x.ip_address, x.location from session_devices x
      where x.session_id = page.id and x.nid = :nid order by x.created_at desc, x.id desc limit 1
    ) d on true
    left join lateral (
      select e.created_at, e.device from lethe.events e
      where e.session_id = page.id and (e.type <> 'session.ended' or e.resumed) and e.type = 'session.created'
      order by e.seq limit 1
    ) begun on true
  order by page.ended_at desc, page.id`,
)

/** Of those that are named and have ended, the one that ended last. */
const LAST_AMONG = sql(
  'session.last_ended_among',
  `select s.id, coalesce(e.cause, ${endedByRule('s', ':now')}, 'expired') as cause
   from sessions s left join lethe.events e on e.seq = ${END_OF('s.id')}
   where s.id = any (:ids::uuid[]) and s.nid = :nid
   order by coalesce(${ENDED_AT}, ${nextEnd('s')}) desc, s.id limit 1`,
)

export interface EndedSession {
  id: string
  cause: EndCause
  ended_at: Timestamp
  /** null where neither its row nor its beginning is kept any more */
  signed_in_at: Timestamp | null
  user_agent: string
  ip_address: string
  location: string
}

export type EndedSessionStore = ReturnType<typeof createEndedSessionStore>

export function createEndedSessionStore(db: Db, nid: string, rules: RulesSql = NO_RULES) {
  return {
    /** Newest first, also those whose rows are deleted, as long as the log of events is kept. */
    lastOf: (identityId: string, limit: number, now: Timestamp): Promise<EndedSession[]> =>
      db.query(LAST_OF, { identity_id: identityId, nid, limit, now, rules: rules.sql() }),
    async lastAmong(ids: readonly string[], now: Timestamp): Promise<Pick<EndedSession, 'id' | 'cause'> | undefined> {
      return (await db.query<Pick<EndedSession, 'id' | 'cause'>>(LAST_AMONG, { ids, nid, now, rules: rules.sql() }))[0]
    },
  }
}
