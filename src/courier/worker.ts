import type { Config } from '../config/schema/schema.ts'
import { isObject, type JsonObject } from '../identities/types.ts'
import { pauseMs } from '../kernel/background/backoff.ts'
import { type BackgroundWork, createLoop } from '../kernel/background/loop.ts'
import { createQueue, type Lease } from '../kernel/background/queue.ts'
import { type Clock, formatTime, SECOND } from '../kernel/base/clock.ts'
import { readJson } from '../kernel/base/exact-json.ts'
import { uuid } from '../kernel/base/uuid.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import { type Breaker, createBreaker } from './breaker.ts'
import { type Attempt, failed, type Outgoing, type Sender } from './channels/channel.ts'
import { SMTP_TRY_MS } from './channels/smtp.ts'
import { MESSAGE_TYPES } from './store.ts'
import type { ClaimedMessage, ClaimStore } from './store-claims.ts'
import type { SuppressionList } from './suppression-list.ts'
import type { Channel, Templates } from './types.ts'

export interface CourierWorkerDeps {
  config(): Config
  clock: Clock
  random: Random
  /** texts stay readable for operators after they were sent */
  dev: boolean
  store: ClaimStore
  templates: Templates
  senders: Readonly<Record<Channel, Sender>>
  suppressed: SuppressionList
  log: { warn(details: object, message: string): void; error(details: object, message: string): void }
  /** for metrics */
  onTry(channel: Channel, result: Attempt['result'] | 'abandoned'): void
}

/** `suppressed`: its recipient is on the list. */
type Claimed = ClaimedMessage & { suppressed: boolean }

const CHANNELS: readonly Channel[] = ['email', 'sms']
/** Messages in flight in all channels together. */
const MAX_TOTAL = 100
/** Longer than a server that first refuses unknown senders ("greylisting") keeps on refusing. */
const LONGEST_PAUSE_MS = 300_000
const GROWTH = 4
/** Kratos gives a try ten seconds for each step, and up to ten messages of a batch wait for each other. */
const FOREIGN: number = 600 * SECOND
const FOREIGN_LOOK_MS = 60_000
const DAY = 86_400 * SECOND

/** Sends queued messages. Several nodes may do so at once, also beside Kratos: each message is claimed by one. */
export function createCourierWorker(d: CourierWorkerDeps): BackgroundWork {
  const breakers: Record<Channel, Breaker> = { email: createBreaker(), sms: createBreaker() }
  const troubled = new Set<Channel>()
  const atOnce = () => Math.min(255, Math.max(1, d.config().courier.worker.pull_count))

  const queue = createQueue<Channel, Claimed>(
    {
      idOf: (channel) => channel,
      concurrency: (channel) => breakers[channel].allowed(atOnce(), d.clock.now()),
      tryMs: () => SMTP_TRY_MS,
      async claim(channel, { id, now, until }, limit) {
        const claimed = await d.store.claim({ type: MESSAGE_TYPES[channel], now, limit, id, until, tries: tries() })
        // only mail servers say that a recipient is none
        const listed = channel === 'email' && claimed.length > 0 ? await d.suppressed.has(claimed) : []
        return claimed.map((message, i) => ({ ...message, suppressed: listed[i] ?? false }))
      },
      async send(channel, message, lease) {
        return outcome(channel, message, lease, await tryOnce(channel, message))
      },
    },
    {
      clock: d.clock,
      random: d.random,
      maxTotal: MAX_TOTAL,
      onError: (err) => d.log.warn({ err }, 'messages wait for the database'),
    },
  )

  async function tryOnce(channel: Channel, message: Claimed): Promise<Attempt> {
    if (message.spent) return failed('the last try that is allowed was not finished', 'refused')
    if (message.suppressed) return failed('refused for good twice within the last hour', 'refused')
    return d.senders[channel].send(await outgoing(message))
  }

  const tries = () => Math.max(0, d.config().courier.message_retries) + 1

  /** The HTML part is rendered now, as in Kratos: the row has no column for it. */
  async function outgoing({ data, request_headers, ...message }: Claimed): Promise<Outgoing> {
    const requestHeaders = request_headers ?? {}
    const values = data === null ? undefined : valuesOf(data)
    if (values === undefined && data !== null)
      d.log.error(
        { message_id: message.id, template: message.template },
        'the data of a message is no JSON object; it goes as plain text',
      )
    const html = values && (await htmlOf({ ...message, data: values, requestHeaders }))
    return { ...message, html, data: values ?? {}, requestHeaders }
  }

  async function htmlOf(message: Omit<Outgoing, 'html'>): Promise<string | undefined> {
    if (message.channel !== 'email') return undefined
    try {
      return await d.templates.html({ ...message, type: message.template })
    } catch (err) {
      d.log.error({ err, template: message.template }, 'the HTML of a message cannot be made; it goes as plain text')
      return undefined
    }
  }

  function outcome(channel: Channel, message: Claimed, lease: Lease, attempt: Attempt) {
    const now = d.clock.now()
    const common = { messageId: message.id, claim: lease.id, dispatchId: uuid(d.random), now: formatTime(now) }
    if (attempt.result === 'sent') {
      breakers[channel].open()
      troubled.delete(channel)
      d.onTry(channel, 'sent')
      return () => d.store.finish({ ...common, error: undefined }, 'sent', !d.dev)
    }
    const error = JSON.stringify(dispatchError(attempt))
    const details = { channel, message_id: message.id, template: message.template, code: attempt.code }
    if (attempt.result === 'closed') {
      tell(channel, { ...details, reason: attempt.reason }, 'the server takes no messages; they wait')
      d.onTry(channel, 'closed')
      const dueAt = formatTime(breakers[channel].shut(now))
      return () => d.store.again({ ...common, error }, dueAt, false)
    }
    if (attempt.code !== undefined) breakers[channel].open()
    if (attempt.result === 'refused' || message.send_count >= tries()) {
      d.log.error({ ...details, reason: attempt.reason, tries: message.send_count }, 'a message was given up')
      d.onTry(channel, 'abandoned')
      return async () => {
        await d.store.finish({ ...common, error }, 'abandoned', !d.dev)
        if (attempt.noSuchRecipient) await d.suppressed.add(message)
      }
    }
    tell(channel, { ...details, reason: attempt.reason }, 'a message could not be sent; it is tried again')
    d.onTry(channel, 'failed')
    const pause = pauseMs(message.send_count, LONGEST_PAUSE_MS, d.random, GROWTH)
    return () => d.store.again({ ...common, error }, formatTime(now + pause * 1000), true)
  }

  /** Once for an outage, not with every message. */
  function tell(channel: Channel, details: object, message: string): void {
    if (!troubled.has(channel)) d.log.warn(details, message)
    troubled.add(channel)
  }

  const looking = createLoop({
    name: 'the look for messages',
    async run() {
      for (const channel of CHANNELS) queue.wake(channel)
    },
    pauseMs: () => d.config().courier.worker.pull_wait,
    atOnce: true,
    log: d.log,
  })
  const watching = createLoop({
    name: 'the look for messages that another courier left',
    run: () => d.store.watchForeign(formatTime(d.clock.now() + FOREIGN), formatTime(d.clock.now() - DAY)),
    pauseMs: FOREIGN_LOOK_MS,
    atOnce: true,
    log: d.log,
  })

  return {
    start() {
      looking.start()
      watching.start()
    },
    async stop() {
      await Promise.all([looking.stop(), watching.stop()])
      await queue.stop()
    },
  }
}

/** Another program may have written the row: its texts are final, and only the HTML part needs these. */
function valuesOf(base64: string): JsonObject | undefined {
  try {
    const values = readJson(Buffer.from(base64, 'base64').toString())
    return isObject(values) ? values : undefined
  } catch {
    return undefined
  }
}

/** In the shape in which Kratos writes errors of a dispatch. */
function dispatchError({ code, reason }: { code: number | undefined; reason: string }) {
  return { code: code ?? 500, status: 'Internal Server Error', reason, message: 'The message could not be sent.' }
}
