import type { Config } from '../../config/schema/schema.ts'
import { type Clock, formatTime, type Micros, parseTime, SECOND } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { conflict, notFound } from '../../kernel/http/errors.ts'
import type { HighWaterMark } from '../log/high-water-mark.ts'
import { type ReceiverSettings, wantedTypes } from '../receivers/receiver.ts'
import { type KnownReceiver, receiversOf } from '../receivers/receivers.ts'
import type { DeliveryCounts, DeliveryListStore } from '../receivers/store-list.ts'
import type { NewWebhook, SecretRotation, WebhookChange } from './body.ts'
import { newWebhookSecret } from './signature.ts'
import type { WebhookStore } from './store.ts'

export interface WebhookDeps {
  config(): Config
  clock: Clock
  random: Random
  highWaterMark: HighWaterMark
  webhooks: WebhookStore
  list: Pick<DeliveryListStore, 'counts'>
  /** called after a change, so that this node applies it at once */
  onChange(): void
}

const unknownReceiver = (id: string) => notFound(`There is no receiver of events named ${JSON.stringify(id)}.`)

/** Receivers of events as operators see and change them. Secrets and the values of headers are never shown again. */
export function createWebhooks(d: WebhookDeps) {
  const now = () => formatTime(d.clock.now())
  const all = async () => receiversOf(d.config(), await d.webhooks.all())

  /** @throws HttpError 404 */
  async function find(id: string): Promise<KnownReceiver> {
    const receiver = (await all()).find((one) => one.id === id)
    if (!receiver) throw unknownReceiver(id)
    return receiver
  }

  /** @throws HttpError 404, 409 when it is in the configuration */
  async function findOwn(id: string): Promise<KnownReceiver> {
    const receiver = await find(id)
    if (receiver.source === 'config') {
      throw conflict(`The receiver ${JSON.stringify(id)} stands in the configuration; change it there.`)
    }
    return receiver
  }

  /** @throws HttpError 404 for one that was removed meanwhile */
  function changed(id: string, settings: ReceiverSettings | undefined): ReceiverSettings {
    if (!settings) throw unknownReceiver(id)
    d.onChange()
    return settings
  }

  return {
    find,

    async list() {
      const counts = new Map((await d.list.counts()).map((row) => [row.id, row]))
      return (await all()).map((receiver) => webhookAnswer(receiver, counts.get(receiver.id), d.clock.now()))
    },

    async get(id: string) {
      const receiver = await find(id)
      return webhookAnswer(
        receiver,
        (await d.list.counts()).find((row) => row.id === id),
        d.clock.now(),
      )
    },

    /** It gets events from now on. Only this answer shows its secret. @throws HttpError 409 when the id is taken */
    async create({ id = `wh-${d.random(6).toString('hex')}`, secret, timeout, ...rest }: NewWebhook) {
      const settings = { ...rest, secrets: [secret ?? newWebhookSecret(d.random)], timeoutMs: timeout }
      const { seq: position } = await d.highWaterMark.settle()
      const configured = d.config().lethe.events.webhooks.some((webhook) => webhook.id === id)
      if (configured || !(await d.webhooks.add(id, settings, position, now()))) {
        throw conflict(`There is a receiver of events named ${JSON.stringify(id)} already.`)
      }
      d.onChange()
      const added = webhookAnswer({ ...settings, id, source: 'api', position }, undefined, d.clock.now())
      return { ...added, secret: settings.secrets[0] }
    },

    /** @throws HttpError 404, 409 */
    async change(id: string, { timeout: timeoutMs, ...rest }: WebhookChange) {
      await findOwn(id)
      const given = Object.entries({ ...rest, timeoutMs }).filter(([, value]) => value !== undefined)
      changed(id, await d.webhooks.change(id, Object.fromEntries(given), now()))
      return this.get(id)
    },

    /** Sets a new secret; the one before goes on signing too, so that the receiver can change over. */
    async rotate(id: string, { secret = newWebhookSecret(d.random), keep_previous }: SecretRotation) {
      await findOwn(id)
      const { secrets } = changed(id, await d.webhooks.rotate(id, secret, keep_previous, now()))
      return { secret, signs_with: secrets.length }
    },

    /** With its deliveries. @throws HttpError 404, 409 */
    async remove(id: string): Promise<void> {
      await findOwn(id)
      await d.webhooks.remove(id)
      d.onChange()
    },

    wanted: async (id: string) => wantedTypes(await find(id)),
  }
}

export type Webhooks = ReturnType<typeof createWebhooks>

function webhookAnswer(receiver: KnownReceiver, counts: DeliveryCounts | undefined, now: Micros) {
  const { id, source, url, events, enabled, position, headers, timeoutMs, secrets } = receiver
  return {
    id,
    source,
    url: withoutPassword(url),
    events,
    enabled,
    headers: Object.keys(headers),
    timeout: `${timeoutMs}ms`,
    signs_with: secrets.length,
    position,
    pending: counts?.pending ?? 0,
    dead: counts?.dead ?? 0,
    oldest_pending_at: counts?.oldest_pending_at ?? null,
    lag_seconds: lagSeconds(counts, now),
  }
}

/** Age of the oldest event that a receiver has not got, whether its delivery has been written or not. */
function lagSeconds(counts: DeliveryCounts | undefined, now: Micros): number {
  const waiting = [counts?.oldest_pending_at, counts?.next_event_at].filter((at) => typeof at === 'string')
  return Math.max(0, ...waiting.map((at) => (now - parseTime(at)) / SECOND))
}

const withoutPassword = (url: string) => url.replace(/\/\/[^/@]*@/, '//')
