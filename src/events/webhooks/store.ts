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

/** A receiver that the configuration names for the first time gets what happened since it was read. */
const ADD_CONFIGURED = sql(
  'events.add_configured_webhooks',
  `insert into lethe.webhooks (id, position, created_at, updated_at)
   select id, (select coalesce(max(e.seq), 0) from lethe.events e where e.created_at < $2), $3, $3
   from unnest($1::text[]) as given (id)
   on conflict do nothing`,
)

const CHANGE = sql(
  'events.change_webhook',
  'update lethe.webhooks set settings = $2, updated_at = $3 where id = $1 and settings is not null returning id',
)

const DELETE = sql(
  'events.delete_webhook',
  `with gone as (
    delete from lethe.webhooks where id = $1 and settings is not null returning id
  ), deliveries as (
    delete from lethe.deliveries d using gone where d.webhook_id = gone.id
  )
  select id from gone`,
)

/**
 * Writes the deliveries of the next events of a receiver and moves its place. Another node at the same receiver is not
 * waited for. The place that is read is the one under the lock, not one from before it.
 */
const FAN_OUT = sql(
  'events.fan_out',
  `with receiver as (
    select id, position from lethe.webhooks where id = $1 and position < $2 for update skip locked
  ), batch as (
    select e.seq, e.type, e.session_id from receiver, lethe.events e
    where e.nid = $3 and e.seq > receiver.position and e.seq <= $2 order by e.seq limit $4
  ), added as (
    insert into lethe.deliveries (webhook_id, seq, session_id, state, attempts, due_at, created_at)
    select $1, batch.seq, batch.session_id, 'pending', 0, $5, $5 from batch
    where $6::text[] is null or batch.type = any ($6)
    on conflict do nothing returning seq
  ), moved as (
    update lethe.webhooks w
    set position = case when (select count(*) from batch) < $4 then $2 else (select max(seq) from batch) end
    from receiver where w.id = receiver.id returning w.position
  )
  select (select count(*) from added) as added, (select position from moved) as position`,
)

export interface WebhookRow {
  id: string
  /** null: the configuration says what it is */
  settings: ReceiverSettings | null
  position: number
  created_at: Timestamp
  updated_at: Timestamp
}

export type WebhookStore = ReturnType<typeof createWebhookStore>

/** Receivers and how far each has come. */
export function createWebhookStore(db: Db, nid: string) {
  return {
    all: (): Promise<WebhookRow[]> => db.query(ALL),
    /** @returns false when the id is taken */
    async add(id: string, settings: ReceiverSettings, position: number, now: Timestamp): Promise<boolean> {
      return (await db.query(ADD, [id, settings, position, now])).length > 0
    },
    /** Notes receivers of the configuration that are not known yet; they get what happened from `since` on. */
    async addConfigured(ids: readonly string[], since: Timestamp, now: Timestamp): Promise<void> {
      await db.query(ADD_CONFIGURED, [ids, since, now])
    },
    /** @returns false when there is none, or it is the configuration's */
    async change(id: string, settings: ReceiverSettings, now: Timestamp): Promise<boolean> {
      return (await db.query(CHANGE, [id, settings, now])).length > 0
    },
    /** With its deliveries. @returns false when there is none, or it is the configuration's */
    async remove(id: string): Promise<boolean> {
      return (await db.query(DELETE, [id])).length > 0
    },
    /**
     * @param upTo the place up to which the log is complete
     * @param types undefined: all
     * @returns how many deliveries were written and how far the receiver has come; undefined when another node is at it
     */
    async fanOut(id: string, upTo: number, limit: number, now: Timestamp, types: readonly string[] | undefined) {
      const [row] = await db.query<{ added: number; position: number | null }>(FAN_OUT, [
        ...[id, upTo, nid, limit, now, types ?? null],
      ])
      return row === undefined || row.position === null ? undefined : { added: row.added, position: row.position }
    },
  }
}
