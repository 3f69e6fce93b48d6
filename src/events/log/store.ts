import { formatTime, type Timestamp } from '../../kernel/base/clock.ts'
import { type Db, sql } from '../../kernel/db/client.ts'
import type { Actor } from '../../sessions/types.ts'
import type { EventFilter, EventRow, EventType } from '../types.ts'
import { EVENT_COLUMNS } from './sql.ts'

const MATCHING = `(:types::text[] is null or e.type = any (:types))
  and (:causes::text[] is null or e.cause = any (:causes))`

/** Each half uses one of the two indexes by session. */
const OF_SESSION = `e.seq in (
  select x.seq from lethe.events x where x.session_id = :session and x.type = 'session.ended' and not x.resumed
  union all
  select x.seq from lethe.events x where x.session_id = :session and (x.type <> 'session.ended' or x.resumed))
  and (:identity::uuid is null or e.identity_id = :identity)`

/** Newest first. One text for each filter: with `$n is null or …` a generic plan could use no index well. */
const list = (name: string, way: string) =>
  sql(
    `events.list_${name}`,
    `select ${EVENT_COLUMNS} from lethe.events e
     where e.nid = :nid and (e.created_at, e.seq) < (:before, :before_seq) and e.created_at >= :since and ${MATCHING} and ${way}
     order by e.created_at desc, e.seq desc limit :limit`,
  )

const LIST = {
  all: list('all', 'true'),
  session: list('session', OF_SESSION),
  identity: list('identity', 'e.identity_id = :identity'),
}

const READ = sql(
  'events.read',
  `select ${EVENT_COLUMNS} from lethe.events e
   where e.nid = :nid and e.seq > :after and e.seq <= :up_to and ${MATCHING} order by e.seq limit :limit`,
)

/** Backwards from a position, for clients that want the latest events. */
const last = (name: string, way: string) =>
  sql(
    `events.last_${name}`,
    `select ${EVENT_COLUMNS} from lethe.events e
     where e.nid = :nid and e.seq <= :up_to and ${MATCHING} and ${way}
     order by e.seq desc limit :limit`,
  )

const LAST = {
  all: last('all', 'true'),
  session: last('session', OF_SESSION),
  identity: last('identity', 'e.identity_id = :identity'),
}

/**
 * Deletes old events, oldest first, whatever is kept before them; `$3` `$4` are where the previous page stopped. Events that a
 * receiver (`$5`) still needs are kept: those that it wants beyond its position, and its deliveries, which wait for as long as a
 * disabled one stays so. A receiver that this node does not know may be one of another node, or no receiver any more: its
 * deliveries are kept while they are tried. Events above a position that readers have not passed are kept too. The end of the
 * deleted part is stored, so that a reader who comes back later learns that something is missing.
 */
const DELETE_OLD = sql(
  'events.delete_old',
  `with page as (
    select e.seq, e.created_at from lethe.events e
    where e.created_at < $1 and (e.created_at, e.seq) > ($3, $4) order by e.created_at, e.seq limit $2
  ), receiver as materialized (
    select w.id, w.position, given.types from jsonb_to_recordset($5::jsonb) as given (id text, types jsonb)
    join lethe.webhooks w on w.id = given.id
  ), target as (
    select e.seq from lethe.events e join page on page.seq = e.seq
    where e.seq <= (select m.complete from lethe.event_epochs m order by m.number desc limit 1)
      and not exists (
        select from receiver r where r.position < e.seq and (r.types is null or jsonb_exists(r.types, e.type))
      )
      and not exists (
        select from lethe.deliveries d where d.seq = e.seq and d.state = 'pending'
          and (d.due_at >= $1 or d.webhook_id in (select receiver.id from receiver))
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
  select (select count(*) from gone) as count, (select count(*) from page) as seen, last.created_at, last.seq
  from (values (true)) as always
  left join (select page.created_at, page.seq from page order by page.created_at desc, page.seq desc limit 1) last on true`,
)

/** An event that is about no session. */
const APPEND = sql(
  'events.append',
  'insert into lethe.events (id, type, nid, actor, data, created_at) values (gen_random_uuid(), $1, $2, $3, $4, $5)',
)

const FLOOR = sql('events.floor', `select m.value from lethe.meta m where m.key = 'events_floor'`)

export interface EventPage {
  filter: EventFilter
  /** the row before which, in time and position, the page begins */
  before: { createdAt: Timestamp; seq: number }
  since: Timestamp
  limit: number
}

/** Old events, from a row on. */
export interface OldPage {
  until: Timestamp
  limit: number
  /** the last row of the page before */
  after: EventPage['before'] | undefined
  /** the receivers, and which types they want; undefined: all */
  receivers: readonly { id: string; types: readonly string[] | undefined }[]
}

export type EventLogStore = ReturnType<typeof createEventLogStore>

export function createEventLogStore(db: Db, nid: string) {
  return {
    /** Newest first; everything that is committed. */
    async list({ filter, before, since, limit }: EventPage): Promise<EventRow[]> {
      const page = { before: before.createdAt, before_seq: before.seq, since, limit }
      return db.query(LIST[wayInto(filter)], { ...filterValues(filter), ...page, nid })
    },
    /** In the order of the log: after one position, up to another. */
    read: (after: number, upTo: number, limit: number, filter: EventFilter = {}): Promise<EventRow[]> =>
      db.query(READ, { ...filterValues(filter), after, up_to: upTo, limit, nid }),
    /** The last ones up to a position, newest first. */
    async last(upTo: number, limit: number, filter: EventFilter): Promise<EventRow[]> {
      return db.query(LAST[wayInto(filter)], { ...filterValues(filter), up_to: upTo, limit, nid })
    },
    async append(type: EventType, actor: Actor, data: object, now: Timestamp): Promise<void> {
      await db.query(APPEND, [type, nid, JSON.stringify(actor), JSON.stringify(data), now])
    },
    /** Rows up to this position have been deleted. */
    async floor(): Promise<number> {
      return Number((await db.query<{ value: unknown }>(FLOOR))[0]?.value ?? 0)
    },
    /** Deletes the unneeded events of one page. @returns how many, and where the next page begins: undefined at the end */
    async deleteOld({ until, limit, after, receivers }: OldPage) {
      const from = after ?? { createdAt: formatTime(0), seq: 0 }
      const [row] = await db.query<{ count: number; seen: number; created_at: Timestamp; seq: number }>(DELETE_OLD, [
        until,
        limit,
        from.createdAt,
        from.seq,
        JSON.stringify(receivers),
      ])
      const { count, seen, created_at: createdAt, seq } = row!
      return { count, next: seen < limit ? undefined : { createdAt, seq } }
    },
  }
}

/** The index by which events are found. */
function wayInto({ sessionId, identityId }: EventFilter): 'all' | 'session' | 'identity' {
  if (sessionId !== undefined) return 'session'
  return identityId === undefined ? 'all' : 'identity'
}

const filterValues = ({ sessionId, identityId, types, causes }: EventFilter) => ({
  session: sessionId ?? null,
  identity: identityId ?? null,
  types: types ?? null,
  causes: causes ?? null,
})
