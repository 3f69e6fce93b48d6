import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, sql } from '../../kernel/db/client.ts'
import { EVENT_COLUMNS } from '../log/sql.ts'
import type { DeliveryState, EventRow } from '../types.ts'

const COLUMNS = `d.seq, d.session_id, d.state, d.attempts, d.due_at, d.claim is not null as under_way,
  d.last_attempt_at, d.last_status, d.last_error, d.created_at, d.finished_at, e.id as event_id, e.type as event_type`

/** One text for each state, so that a generic plan can use the index of that state alone. */
const list = (state: DeliveryState | 'any') =>
  sql(
    `events.deliveries_${state}`,
    `select ${COLUMNS} from lethe.deliveries d join lethe.events e on e.seq = d.seq
     where d.webhook_id = $1 and d.seq < $2 and ${state === 'any' ? 'true' : `d.state = '${state}'`}
     order by d.seq desc limit $3`,
  )

const LIST = { any: list('any'), pending: list('pending'), delivered: list('delivered'), dead: list('dead') }

const ONE = sql(
  'events.delivery',
  `select ${COLUMNS} from lethe.deliveries d join lethe.events e on e.seq = d.seq
   where d.webhook_id = $1 and d.seq = $2`,
)

const EVENT = sql('events.by_seq', `select ${EVENT_COLUMNS} from lethe.events e where e.seq = $1`)

/** Also of receivers without deliveries: their position may be behind an event that will become one. */
const COUNTS = sql(
  'events.delivery_counts',
  `with counted as (
    select d.webhook_id, count(*) filter (where d.state = 'pending') as pending,
      count(*) filter (where d.state = 'dead') as dead,
      min(d.created_at) filter (where d.state = 'pending') as oldest_pending_at
    from lethe.deliveries d where d.state in ('pending', 'dead') group by d.webhook_id
  )
  select w.id, coalesce(c.pending, 0) as pending, coalesce(c.dead, 0) as dead, c.oldest_pending_at,
    (select e.created_at from lethe.events e where e.seq > w.position order by e.seq limit 1) as next_event_at
  from lethe.webhooks w left join counted c on c.webhook_id = w.id`,
)

/** One that is being tried stays as it is. */
const AGAIN = `state = 'pending', attempts = 0, due_at = :now, claim = null, created_at = :now, finished_at = null`

const REPLAY_DEAD = sql(
  'events.replay_dead',
  `with chosen as (
    select d.seq from lethe.deliveries d
    where d.webhook_id = :webhook and d.state = 'dead' and d.seq > :after and d.seq <= :up_to order by d.seq limit :limit for update
  ), replayed as (
    update lethe.deliveries d set ${AGAIN} from chosen where d.webhook_id = :webhook and d.seq = chosen.seq returning d.seq
  )
  select (select count(*) from replayed) as count, (select max(seq) from chosen) as last`,
)

/**
 * Also events that the receiver did not want, or that are older than the receiver. The lock keeps it from being removed
 * meanwhile: its deliveries would stay, and be those of the next receiver of the same name.
 */
const REPLAY_ALL = sql(
  'events.replay_all',
  `with receiver as (
    select w.id from lethe.webhooks w where w.id = :webhook for key share
  ), chosen as (
    select e.seq, e.session_id from lethe.events e
    where exists (select from receiver) and e.nid = :nid and e.seq > :after and e.seq <= :up_to
      and (:types::text[] is null or e.type = any (:types))
    order by e.seq limit :limit
  ), replayed as (
    insert into lethe.deliveries as d (webhook_id, seq, session_id, state, attempts, due_at, created_at)
    select :webhook, chosen.seq, chosen.session_id, 'pending', 0, :now, :now from chosen
    on conflict (webhook_id, seq) do update set ${AGAIN} where d.state <> 'pending'
    returning d.seq
  )
  select (select count(*) from replayed) as count, (select max(seq) from chosen) as last`,
)

/** The positions at two times, so that a range of times becomes one of positions. */
const POSITIONS_AT = sql(
  'events.positions_at',
  `select (select coalesce(max(e.seq), 0) from lethe.events e where e.created_at < $1) as after,
     (select coalesce(max(e.seq), 0) from lethe.events e where e.created_at < $2) as up_to`,
)

export interface DeliveryRow {
  seq: number
  session_id: string | null
  state: DeliveryState
  attempts: number
  due_at: Timestamp
  under_way: boolean
  last_attempt_at: Timestamp | null
  last_status: number | null
  last_error: string | null
  created_at: Timestamp
  finished_at: Timestamp | null
  event_id: string
  event_type: string
}

export interface DeliveryCounts {
  id: string
  pending: number
  dead: number
  oldest_pending_at: Timestamp | null
  /** of the first event beyond the receiver's position: no delivery of it has been written */
  next_event_at: Timestamp | null
}

/** Which deliveries to send again. */
export interface ReplayRange {
  webhookId: string
  now: Timestamp
  after: number
  upTo: number
  limit: number
}

interface Replayed {
  count: number
  last: number | null
}

export type DeliveryListStore = ReturnType<typeof createDeliveryListStore>

/** Deliveries as operators see and repeat them. */
export function createDeliveryListStore(db: Db, nid: string) {
  return {
    /** Newest first. */
    list: (id: string, before: number, state: DeliveryState | 'any', limit: number): Promise<DeliveryRow[]> =>
      db.query(LIST[state], [id, before, limit]),
    async one(id: string, seq: number): Promise<DeliveryRow | undefined> {
      return (await db.query<DeliveryRow>(ONE, [id, seq]))[0]
    },
    async event(seq: number): Promise<EventRow | undefined> {
      return (await db.query<EventRow>(EVENT, [seq]))[0]
    },
    counts: (): Promise<DeliveryCounts[]> => db.query(COUNTS),
    /** @param types undefined: all @returns how many, and where to continue; `last` is null at the end */
    async replay(r: ReplayRange, which: 'dead' | 'all', types: readonly string[] | undefined): Promise<Replayed> {
      const values = { ...r, webhook: r.webhookId, up_to: r.upTo, types: types ?? null, nid }
      const [row] = await db.query<Replayed>(which === 'dead' ? REPLAY_DEAD : REPLAY_ALL, values)
      return row!
    },
    /** The positions of the last events before two times. */
    async positionsAt(since: Timestamp, until: Timestamp): Promise<{ after: number; up_to: number }> {
      return (await db.query<{ after: number; up_to: number }>(POSITIONS_AT, [since, until]))[0]!
    },
  }
}
