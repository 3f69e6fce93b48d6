import type { Config } from '../config/schema/schema.ts'
import { type Clock, formatTime } from '../kernel/base/clock.ts'
import type { Logger } from '../kernel/base/log.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import type { Db } from '../kernel/db/client.ts'
import type { SessionService } from '../sessions/service.ts'
import type { TokenTemplates } from '../tokens/templates.ts'
import { tellEpoch } from './log/epoch-log.ts'
import { createFeed } from './log/feed.ts'
import { createHighWaterMark } from './log/high-water-mark.ts'
import { createEventLog } from './log/log.ts'
import { createLogPoller } from './log/poller.ts'
import { createEventRetention } from './log/retention.ts'
import { createEventLogStore } from './log/store.ts'
import { createMarkStore, type EpochReason } from './log/store-marks.ts'
import { createDeliverer, type DelivererDeps } from './receivers/deliver.ts'
import { createDeliveries } from './receivers/deliveries.ts'
import { createDispatcher } from './receivers/dispatch.ts'
import { wantedTypes } from './receivers/receiver.ts'
import { receiversOf } from './receivers/receivers.ts'
import { createSender } from './receivers/send.ts'
import { createEventStatus } from './receivers/status.ts'
import { createDeliveryStore } from './receivers/store.ts'
import { createDeliveryListStore } from './receivers/store-list.ts'
import { createRefusedRegistrations } from './refused-registrations.ts'
import { createRevocations } from './revocations/revocations.ts'
import { createRevocationStore } from './revocations/store.ts'
import { createOwnSessionStream } from './stream/own-session-stream.ts'
import { createEventStream } from './stream/stream.ts'
import { createWebhookStore } from './webhooks/store.ts'
import { createWebhooks } from './webhooks/webhooks.ts'

export interface EventDeps {
  config(): Config
  clock: Clock
  random: Random
  log: Pick<Logger, 'warn' | 'info'>
  db: Db
  meta: { nid: string }
  sessions: Pick<SessionService, 'peek' | 'ruleOf'>
  tokenTemplates(): TokenTemplates
  baseUrls: { public(): string }
  onDelivery: DelivererDeps['onDelivery']
  onEpoch(reason: EpochReason): void
  /** a follower got events that the log has lost since */
  onLost(follower: 'stream' | 'revocations'): void
}

/** Everything by which clients and receivers learn of events. Reads the log only while there are any. */
export function createEvents(d: EventDeps) {
  const store = createEventLogStore(d.db, d.meta.nid)
  const embedded = d.db.backend === 'pglite' ? d.random(8).toString('hex') : undefined
  const highWaterMark = createHighWaterMark(createMarkStore(d.db, embedded), tellEpoch(d))
  const onError = (err: unknown) => d.log.warn({ err }, 'the log of events could not be read; trying again')
  const onDeliveryError = (err: unknown) => d.log.warn({ err }, 'deliveries of events wait for the database')
  const poller = createLogPoller({ highWaterMark, intervalMs: d.config().lethe.events.poll_interval, log: d.log })
  const feed = createFeed({ store, highWaterMark, poller, onError })
  const shared = { ...d, store, highWaterMark, feed }
  const webhookStore = createWebhookStore(d.db, d.meta.nid)
  const deliveryStore = createDeliveryStore(d.db, () => formatTime(d.clock.now()))
  const sender = createSender()
  const deliverer = createDeliverer({ ...d, store: deliveryStore, sender, onError: onDeliveryError })
  const dispatcher = createDispatcher({
    ...d,
    webhooks: webhookStore,
    deliveries: deliveryStore,
    deliverer,
    highWaterMark,
    poller,
  })
  const list = createDeliveryListStore(d.db, d.meta.nid)
  const onChange = dispatcher.refresh
  const webhooks = createWebhooks({ ...d, highWaterMark, webhooks: webhookStore, list, onChange })
  const receivers = async () =>
    receiversOf(d.config(), await webhookStore.all()).map((one) => ({ id: one.id, types: wantedTypes(one) }))
  return {
    deleteOldEvents: createEventRetention({ ...shared, receivers }),
    refusedRegistrations: createRefusedRegistrations(shared),
    eventLog: createEventLog(shared),
    eventStream: createEventStream({ ...shared, onLost: () => d.onLost('stream') }),
    ownSessionStream: createOwnSessionStream(shared),
    revocations: createRevocations({
      ...shared,
      store: createRevocationStore(d.db, d.meta.nid),
      onLost: () => d.onLost('revocations'),
    }),
    webhooks,
    eventStatus: createEventStatus({ highWaterMark, webhooks }),
    deliveries: createDeliveries({ ...d, webhooks, list, onChange }),
    webhookDelivery: {
      start: dispatcher.start,
      async stop() {
        await dispatcher.stop()
        await poller.stop()
        sender.close()
      },
    },
  }
}
