import { type Clock, formatTime, parseTime } from '../../kernel/base/clock.ts'
import { notFound } from '../../kernel/http/errors.ts'
import { eventAnswer } from '../log/answer.ts'
import type { DeliveryState, EventAnswer } from '../types.ts'
import type { ReplayRequest } from '../webhooks/body.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'
import { wantedTypes } from './receiver.ts'
import type { DeliveryListStore, DeliveryRow } from './store-list.ts'

export interface DeliveriesDeps {
  clock: Clock
  webhooks: Pick<Webhooks, 'find'>
  list: DeliveryListStore
  onChange(): void
}

/** Deliveries that become due again in one statement. */
const BATCH = 1000

/** The deliveries of a receiver, as operators see and repeat them. @throws HttpError 404 for an unknown receiver */
export function createDeliveries(d: DeliveriesDeps) {
  async function replay(id: string, after: number, upTo: number, which: 'dead' | 'all'): Promise<{ replayed: number }> {
    const receiver = await d.webhooks.find(id)
    const now = formatTime(d.clock.now())
    // later events will be delivered anyway
    const end = Math.min(upTo, receiver.position)
    let replayed = 0
    for (let position: number | null = after; position !== null && position < end; ) {
      const range = { webhookId: id, now, after: position, upTo: end, limit: BATCH }
      const { count, last } = await d.list.replay(range, which, wantedTypes(receiver))
      replayed += count
      position = last
    }
    d.onChange()
    return { replayed }
  }

  async function one(id: string, seq: number): Promise<DeliveryRow> {
    // an unknown name from outside must not reach a statement
    await d.webhooks.find(id)
    const row = await d.list.one(id, seq)
    if (!row) throw unknownDelivery()
    return row
  }

  return {
    /** Newest first. @param next the position before which the next page begins */
    async page(id: string, before: number, state: DeliveryState | 'any', size: number) {
      await d.webhooks.find(id)
      const rows = await d.list.list(id, before, state, size + 1)
      const page = rows.slice(0, size)
      return { deliveries: page.map(deliveryAnswer), next: rows.length > size ? page.at(-1)?.seq : undefined }
    },

    /** With the event as it is sent. */
    async get(id: string, seq: number): Promise<Record<string, unknown> & { event: EventAnswer }> {
      const row = await one(id, seq)
      const event = await d.list.event(seq)
      if (!event) throw unknownDelivery()
      return { ...deliveryAnswer(row), event: eventAnswer(event) }
    },

    async replayOne(id: string, seq: number): Promise<{ replayed: number }> {
      await one(id, seq)
      return replay(id, seq - 1, seq, 'all')
    },

    /** Sends again a range of positions, of times, or of both; without any, all dead letters. */
    async replayRange(id: string, r: ReplayRequest): Promise<{ replayed: number }> {
      const [since, until] = [timeOf(r.since) ?? '1970-01-01T00:00:00Z', timeOf(r.until) ?? '2200-01-01T00:00:00Z']
      const positions = await d.list.positionsAt(since, until)
      const after = Math.max(positions.after, r.after_seq ?? 0)
      const upTo = Math.min(positions.up_to, r.up_to_seq ?? Number.MAX_SAFE_INTEGER)
      return replay(id, after, upTo, r.which)
    },
  }
}

export type Deliveries = ReturnType<typeof createDeliveries>

const unknownDelivery = () => notFound('There is no delivery of this event to this receiver.')

const timeOf = (text: string | undefined) => (text === undefined ? undefined : formatTime(Math.max(0, parseTime(text))))

function deliveryAnswer(row: DeliveryRow): Record<string, unknown> {
  const { seq, event_id, event_type, session_id, state, attempts, last_attempt_at, last_status, last_error } = row
  return {
    seq,
    event_id,
    event_type,
    session_id,
    state,
    attempts,
    next_attempt_at: state === 'pending' && !row.under_way ? row.due_at : null,
    under_way: row.under_way,
    last_attempt_at,
    last_status,
    last_error,
    queued_at: row.created_at,
    finished_at: row.finished_at,
  }
}
