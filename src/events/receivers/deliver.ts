import type { Config } from '../../config/schema/schema.ts'
import { pauseMs } from '../../kernel/background/backoff.ts'
import { createQueue, type Queue } from '../../kernel/background/queue.ts'
import { type Clock, formatTime, parseTime, SECOND } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { addressRules } from '../../kernel/outbound/guard.ts'
import { eventAnswer } from '../log/answer.ts'
import { webhookHeaders } from '../webhooks/signature.ts'
import type { Receiver } from './receiver.ts'
import type { Attempt, Sender } from './send.ts'
import type { ClaimedRow, DeliveryStore, Outcome } from './store.ts'

export interface DelivererDeps {
  config(): Config
  clock: Clock
  random: Random
  store: Pick<DeliveryStore, 'claim' | 'finish'>
  sender: Sender
  onError(error: unknown): void
  /** for metrics */
  onDelivery(receiver: string, result: 'delivered' | 'failed' | 'given_up'): void
}

/** Connections of all receivers together. */
const MAX_TOTAL = 500
const RESULTS = { delivered: 'delivered', pending: 'failed', dead: 'given_up' } as const
/** 410 Gone: the receiver unsubscribes. @see Standard Webhooks, "Delivery" */
const GONE = 410

/** The queue of events for webhooks: each receiver has its own number of tries at once. */
export function createDeliverer(d: DelivererDeps): Queue<Receiver> {
  function post(receiver: Receiver, row: ClaimedRow): Promise<Attempt> {
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

  return createQueue<Receiver, ClaimedRow>(
    {
      idOf: ({ id }) => id,
      concurrency: ({ enabled }) => (enabled ? d.config().lethe.events.delivery.concurrency : 0),
      tryMs: ({ timeoutMs }) => timeoutMs,
      claim: ({ id: webhookId }, { id, now, until }, limit) => d.store.claim({ webhookId, now, limit, until, id }),
      async send(receiver, row, lease) {
        const attempt = await post(withSettings(receiver, row), row)
        const outcome = judge(row, attempt)
        d.onDelivery(receiver.id, RESULTS[outcome.state])
        const { status, error } = attempt
        return () =>
          d.store.finish({ webhookId: receiver.id, seq: row.seq, claim: lease.id, status, error, ...outcome })
      },
    },
    { clock: d.clock, random: d.random, maxTotal: MAX_TOTAL, onError: d.onError },
  )
}

/** With the settings of the moment when the delivery was claimed, so that a change applies to all deliveries after its answer. */
function withSettings(receiver: Receiver, { settings }: ClaimedRow): Receiver {
  return receiver.source === 'config' || settings === null ? receiver : { ...receiver, ...settings }
}

/** A configured header must not stand beside one of ours in another spelling. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
