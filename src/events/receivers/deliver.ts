import type { Config } from '../../config/schema/schema.ts'
import { type Clock, formatTime, parseTime, SECOND } from '../../kernel/base/clock.ts'
import { uuid } from '../../kernel/base/uuid.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { addressRules } from '../../kernel/outbound/guard.ts'
import { eventAnswer } from '../log/answer.ts'
import { webhookHeaders } from '../webhooks/signature.ts'
import { pauseMs } from './backoff.ts'
import type { Receiver } from './receiver.ts'
import type { Attempt, Sender } from './send.ts'
import type { ClaimedRow, DeliveryStore, Outcome } from './store.ts'

export interface DelivererDeps {
  config(): Config
  clock: Clock
  random: Random
  store: DeliveryStore
  sender: Sender
  onError(error: unknown): void
  /** for metrics */
  onDelivery(receiver: string, result: 'delivered' | 'failed' | 'given_up'): void
}

export interface Deliverer {
  /** Delivers what is due to a receiver, as much at once as is allowed. Returns at once. */
  wake(receiver: Receiver): void
  /** Takes nothing new; resolves when the tries that are under way have ended. */
  stop(): Promise<void>
}

/** How long after its time limit a try counts as lost. A process that pauses for longer sends twice, which is allowed. */
const GRACE_MS = 10_000
/** Between two tries to write down what became of a try, while the database is away. */
const FINISH_PAUSE_MS = 500
const RESULTS = { delivered: 'delivered', pending: 'failed', dead: 'given_up' } as const
/** Gone: the receiver says that it wants nothing more. @see Standard Webhooks, "Delivery" */
const GONE = 410

/** A receiver that is slow or away holds up nobody else: each has a number of tries at once, and its own queue. */
export function createDeliverer(d: DelivererDeps): Deliverer {
  const lanes = new Map<string, { receiver: Receiver; busy: number; claiming: boolean; again: boolean }>()
  const underWay = new Set<Promise<void>>()
  let stopped = false

  function wake(receiver: Receiver): void {
    const lane = lanes.get(receiver.id) ?? { receiver, busy: 0, claiming: false, again: false }
    lanes.set(receiver.id, lane)
    // what goes on in the lane goes on with what the receiver is now
    lane.receiver = receiver
    if (stopped || !receiver.enabled) return
    const free = d.config().lethe.events.delivery.concurrency - lane.busy
    if (lane.claiming || free <= 0) {
      lane.again = true
      return
    }
    lane.claiming = true
    lane.again = false
    const work = claim(receiver, free)
      .then(
        ({ id, rows }) => {
          if (rows.length === free) lane.again = true
          for (const row of rows) {
            lane.busy += 1
            track(
              deliver(withSettings(receiver, row), row, id).finally(() => {
                lane.busy -= 1
                // the next event of the session may go now, and there is room for another
                wake(lane.receiver)
              }),
            )
          }
        },
        (error) => d.onError(error),
      )
      .finally(() => {
        lane.claiming = false
        if (lane.again) wake(lane.receiver)
      })
    track(work)
  }

  function track(work: Promise<void>): void {
    const kept = work.catch(d.onError).finally(() => underWay.delete(kept))
    underWay.add(kept)
  }

  async function claim({ id: webhookId, timeoutMs }: Receiver, limit: number) {
    const now = d.clock.now()
    const until = formatTime(now + (timeoutMs + GRACE_MS) * 1000)
    const id = uuid(d.random)
    return { id, rows: await d.store.claim({ webhookId, now: formatTime(now), limit, until, id }) }
  }

  async function deliver(receiver: Receiver, row: ClaimedRow, claimId: string): Promise<void> {
    const attempt = await send(receiver, row)
    const outcome = judge(row, attempt)
    d.onDelivery(receiver.id, RESULTS[outcome.state])
    const { status, error } = attempt
    await finish({ webhookId: receiver.id, seq: row.seq, claim: claimId, status, error, ...outcome })
  }

  /** Tries for as long as the row is ours; then another may have it, and it is sent again. */
  async function finish(outcome: Outcome): Promise<void> {
    for (let left = GRACE_MS; ; left -= FINISH_PAUSE_MS) {
      try {
        await d.store.finish(outcome)
        return
      } catch (error) {
        if (stopped || left <= 0) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, FINISH_PAUSE_MS))
    }
  }

  function send(receiver: Receiver, row: ClaimedRow): Promise<Attempt> {
    const event = eventAnswer(row)
    const body = JSON.stringify({ type: event.type, timestamp: event.time, data: event })
    const seconds = Math.floor(d.clock.now() / SECOND)
    const headers = {
      'user-agent': 'Lethe',
      ...lowerCased(receiver.headers),
      'content-type': 'application/json',
      ...webhookHeaders(event.id, seconds, body, receiver.secrets),
    }
    const { url, timeoutMs } = receiver
    return d.sender.post({ url, headers, body, timeoutMs }, addressRules(d.config()), d.clock.now() / 1000)
  }

  function judge(row: ClaimedRow, attempt: Attempt): Pick<Outcome, 'state' | 'dueAt'> {
    const now = d.clock.now()
    if (attempt.ok) return { state: 'delivered', dueAt: formatTime(now) }
    const { give_up_after, max_pause } = d.config().lethe.events.delivery
    const asked = Math.min(attempt.retryAfterMs ?? 0, max_pause)
    const next = now + Math.max(pauseMs(row.attempts, max_pause, d.random), asked) * 1000
    const tooLate = next > parseTime(row.queued_at) + give_up_after * 1000
    const state = tooLate || attempt.status === GONE ? 'dead' : 'pending'
    return { state, dueAt: formatTime(Math.round(next)) }
  }

  return {
    wake,
    async stop() {
      stopped = true
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

/** As it stood when the delivery was taken, so that whatever an answer has said of a change holds for what follows it. */
function withSettings(receiver: Receiver, { settings }: ClaimedRow): Receiver {
  return receiver.source === 'config' || settings === null ? receiver : { ...receiver, ...settings }
}

/** So that a header of the configuration cannot stand beside one of ours in another spelling. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
