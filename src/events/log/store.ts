import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, sql } from '../../kernel/db/client.ts'
import type { EventFilter, EventRow } from '../types.ts'
import { EVENT_COLUMNS } from './sql.ts'

const matching = (from: number) => `($${from}::text[] is null or e.type = any ($${from}))
  and ($${from + 1}::text[] is null or e.cause = any ($${from + 1}))`

/** Each half is what one of the two indexes by session holds. */
const ofSession = (id: string) => `e.seq in (
  select x.seq from lethe.events x where x.session_id = ${id} and x.type = 'session.ended' and not x.resumed
  union all
  select x.seq from lethe.events x where x.session_id = ${id} and (x.type <> 'session.ended' or x.resumed))`

/** Newest first. One text for each way into the log: with `$n is null or …` a kept plan could use no index well. */
const list = (name: string, way: string) =>
  sql(
    `events.list_${name}`,
    `select ${EVENT_COLUMNS} from lethe.events e
     where e.nid = $1 and (e.created_at, e.seq) < ($2, $3) and e.created_at >= $4 and ${matching(5)} and ${way}
     order by e.created_at desc, e.seq desc limit $7`,
  )

const LIST = {
  all: list('all', 'true'),
  session: list('session', `${ofSession('$8')} and ($9::uuid is null or e.identity_id = $9)`),
  identity: list('identity', 'e.identity_id = $8'),
}

const READ = sql(
  'events.read',
  `select ${EVENT_COLUMNS} from lethe.events e
   where e.nid = $1 and e.seq > $2 and e.seq <= $3 and ${matching(5)} order by e.seq limit $4`,
)

/** Backwards from a place, for those who want to see what came last. */
const last = (name: string, way: string) =>
  sql(
    `events.last_${name}`,
    `select ${EVENT_COLUMNS} from lethe.events e
     where e.nid = $1 and e.seq <= $2 and ${matching(4)} and ${way}
     order by e.seq desc limit $3`,
  )

const LAST = {
  all: last('all', 'true'),
  session: last('session', `${ofSession('$6')} and ($7::uuid is null or e.identity_id = $7)`),
  identity: last('identity', 'e.identity_id = $6'),
}

/**
 * What is old goes, from the beginning of the log on. What a receiver is still to get stays, unless nobody has tried for
 * as long: then nobody knows that receiver any more. The end of what went is kept, so that a reader who comes back later
 * can be told that something is missing.
 */
const DELETE_OLD = sql(
  'events.delete_old',
  `with head as (
    select e.seq, e.created_at from lethe.events e order by e.seq limit $2
  ), target as (
    select e.seq from lethe.events e join head on head.seq = e.seq
    where head.created_at < $1
      and not exists (
        select from lethe.deliveries d where d.seq = e.seq and d.state = 'pending' and d.due_at >= $1
      )
    order by e.seq for update of e skip locked
  ), gone as (
    delete from lethe.events e using target where e.seq = target.seq returning e.seq
  ), told as (
    delete from lethe.deliveries d using target where d.seq = target.seq
  ), floor as (
    insert into lethe.meta as m (key, value)
    select 'events_floor', to_jsonb(max(gone.seq)) from gone having count(*) > 0
    on conflict (key) do update set value = to_jsonb(greatest(m.value::text::bigint, excluded.value::text::bigint))
  )
  select count(*) as count from gone`,
)

const FLOOR = sql('events.floor', `select m.value from lethe.meta m where m.key = 'events_floor'`)

export interface EventPage {
  filter: EventFilter
  /** the row before which, in time and place, the page begins */
  before: { createdAt: Timestamp; seq: number }
  since: Timestamp
  limit: number
}

export type EventLogStore = ReturnType<typeof createEventLogStore>

export function createEventLogStore(db: Db, nid: string) {
  return {
    /** Newest first; everything that is committed. */
    async list({ filter, before, since, limit }: EventPage): Promise<EventRow[]> {
      const { sessionId, identityId, types = null, causes = null } = filter
      const values = [nid, before.createdAt, before.seq, since, types, causes, limit]
      if (sessionId !== undefined) return db.query(LIST.session, [...values, sessionId, identityId ?? null])
      return identityId === undefined ? db.query(LIST.all, values) : db.query(LIST.identity, [...values, identityId])
    },
    /** In the order of the log: after one place, up to another. */
    read: (after: number, upTo: number, limit: number, { types, causes }: EventFilter = {}): Promise<EventRow[]> =>
      db.query(READ, [nid, after, upTo, limit, types ?? null, causes ?? null]),
    /** The last ones up to a place, newest first. */
    async last(upTo: number, limit: number, filter: EventFilter): Promise<EventRow[]> {
      const { sessionId, identityId, types = null, causes = null } = filter
      const values = [nid, upTo, limit, types, causes]
      if (sessionId !== undefined) return db.query(LAST.session, [...values, sessionId, identityId ?? null])
      return identityId === undefined ? db.query(LAST.all, values) : db.query(LAST.identity, [...values, identityId])
    },
    /** Up to this place rows have been deleted. */
    async floor(): Promise<number> {
      return Number((await db.query<{ value: unknown }>(FLOOR))[0]?.value ?? 0)
    },
    /** Deletes what is older, among the first `limit` rows. @returns how many */
    async deleteOld(until: Timestamp, limit: number): Promise<number> {
      return (await db.query<{ count: number }>(DELETE_OLD, [until, limit]))[0]!.count
    },
  }
}
