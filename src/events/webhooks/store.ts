import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, sql } from '../../kernel/db/client.ts'
import type { ReceiverSettings } from '../receivers/receiver.ts'

const ALL = sql(
  'events.webhooks',
  'select w.id, w.settings, w.position, w.created_at, w.updated_at from lethe.webhooks w order by w.id',
)

const ADD = sql(
  'events.add_webhook',
  `insert into lethe.webhooks (id, settings, position, created_at, updated_at) values ($1, $2, $3, $4, $4)
   on conflict do nothing returning id`,
)

/**
 * A receiver that is new in the configuration gets events from the time when it was read, and those that may still appear
 * below that position.
 */
const ADD_CONFIGURED = sql(
  'events.add_configured_webhooks',
  `insert into lethe.webhooks (id, position, created_at, updated_at)
   select id, least(
     (select min(e.seq) - 1 from lethe.events e where e.created_at >= $2),
     (select m.complete from lethe.event_epochs m order by m.number desc limit 1)), $3, $3
   from unnest($1::text[]) as given (id)
   on conflict do nothing`,
)

/** Writes only the given members, so that concurrent changes do not undo each other. */
const CHANGE = sql(
  'events.change_webhook',
  `update lethe.webhooks set settings = settings || $2::jsonb, updated_at = $3
   where id = $1 and settings is not null returning settings`,
)

/** The new secret first; of the earlier ones the newest is kept, unless none shall be. */
const ROTATE = sql(
  'events.rotate_webhook_secret',
  `update lethe.webhooks set updated_at = $4, settings = jsonb_set(settings, '{secrets}', jsonb_build_array($2::text)
     || case when $3::boolean then jsonb_build_array(settings -> 'secrets' -> 0) else '[]' end)
   where id = $1 and settings is not null returning settings`,
)

const DELETE = sql(
  'events.delete_webhook',
  'delete from lethe.webhooks where id = $1 and settings is not null returning id',
)

/** A statement of its own: one that also waits for the receiver would not see what was written while it waited. */
const DELETE_DELIVERIES = sql(
  'events.delete_deliveries_of_webhook',
  'delete from lethe.deliveries where webhook_id = $1',
)

/**
 * Writes the deliveries of the next events of a receiver and moves its position. If another node works on the receiver it
 * does nothing. The position is read under the lock; how far the log is complete is
 * read here too, so that a mark that a node remembers of another server cannot move a receiver past its events. Both
 * bounds are scalars: as columns of a join they were no index bounds, and each batch read the log from its start.
 */
const FAN_OUT = sql(
  'events.fan_out',
  `with mark as (
    select m.complete from lethe.event_epochs m order by m.number desc limit 1
  ), receiver as (
    select id, position from lethe.webhooks
    where id = $1 and position < (select complete from mark) for update skip locked
  ), batch as (
    select e.seq, e.type, e.session_id from lethe.events e
    where e.nid = $2 and e.seq > (select position from receiver) and e.seq <= (select complete from mark)
    order by e.seq limit $3
  ), added as (
    insert into lethe.deliveries (webhook_id, seq, session_id, state, attempts, due_at, created_at)
    select $1, batch.seq, batch.session_id, 'pending', 0, $4, $4 from batch
    where $5::text[] is null or batch.type = any ($5)
    on conflict do nothing returning seq
  ), moved as (
    update lethe.webhooks w
    set position = case when (select count(*) from batch) < $3 then mark.complete else (select max(seq) from batch) end
    from receiver, mark where w.id = receiver.id returning w.position
  )
  select (select count(*) from added) as added, (select position from moved) as position,
    (select complete from mark) as complete`,
)

export interface WebhookRow {
  id: string
  /** null: see the configuration */
  settings: ReceiverSettings | null
  position: number
  created_at: Timestamp
  updated_at: Timestamp
}

export type WebhookStore = ReturnType<typeof createWebhookStore>

/** Receivers and their positions. */
export function createWebhookStore(db: Db, nid: string) {
  return {
    all: (): Promise<WebhookRow[]> => db.query(ALL),
    /** @returns false when the id is taken */
    async add(id: string, settings: ReceiverSettings, position: number, now: Timestamp): Promise<boolean> {
      return (await db.query(ADD, [id, settings, position, now])).length > 0
    },
    /** Adds receivers of the configuration that are not stored yet; they get events from `since` on. */
    async addConfigured(ids: readonly string[], since: Timestamp, now: Timestamp): Promise<void> {
      await db.query(ADD_CONFIGURED, [ids, since, now])
    },
    /** @returns undefined when there is none, or it is in the configuration */
    async change(id: string, change: Partial<ReceiverSettings>, now: Timestamp): Promise<ReceiverSettings | undefined> {
      return (await db.query<{ settings: ReceiverSettings }>(CHANGE, [id, change, now]))[0]?.settings
    },
    /** @returns undefined when there is none, or it is in the configuration */
    async rotate(
      id: string,
      secret: string,
      keepPrevious: boolean,
      now: Timestamp,
    ): Promise<ReceiverSettings | undefined> {
      return (await db.query<{ settings: ReceiverSettings }>(ROTATE, [id, secret, keepPrevious, now]))[0]?.settings
    },
    /** With its deliveries. @returns false when there is none, or it is in the configuration */
    remove: (id: string): Promise<boolean> =>
      db.tx(async (tx) => {
        const found = (await tx.query(DELETE, [id])).length > 0
        if (found) await tx.query(DELETE_DELIVERIES, [id])
        return found
      }),
    /**
     * Up to where the log is complete.
     * @param types undefined: all
     * @returns how many deliveries were written and whether there are more; undefined when the receiver has them all, or
     *   another node works on it
     */
    async fanOut(id: string, limit: number, now: Timestamp, types: readonly string[] | undefined) {
      const [row] = await db.query<{ added: number; position: number | null; complete: number }>(FAN_OUT, [
        id,
        nid,
        limit,
        now,
        types ?? null,
      ])
      if (row === undefined || row.position === null) return undefined
      return { added: row.added, more: row.position < row.complete }
    },
  }
}
