import { type Clock, formatTime } from '../../clock.ts'
import type { Config } from '../../config/schema.ts'
import type { Random } from '../../crypto/tokens.ts'
import type { Db } from '../../db/client.ts'
import type { Logger } from '../../log.ts'
import type { SessionService } from '../sessions/service.ts'
import type { TokenTemplates } from '../sessions/tokenizer-templates.ts'
import { createDeliverer, type DelivererDeps } from './deliver.ts'
import { createDeliveries } from './deliveries.ts'
import { createDispatcher } from './dispatch.ts'
import { createFeed } from './feed.ts'
import { createLogHead } from './head.ts'
import { createHolderStream } from './holder-stream.ts'
import { createEventLog } from './log.ts'
import { createReceiverStates } from './receiver-states.ts'
import { createRevocations } from './revocations.ts'
import { createSender } from './send.ts'
import { createDeliveryStore } from './store-deliveries.ts'
import { createDeliveryListStore } from './store-delivery-list.ts'
import { createEventLogStore } from './store-log.ts'
import { createRevocationStore } from './store-revocations.ts'
import { createWebhookStore } from './store-webhooks.ts'
import { createEventStream } from './stream.ts'
import { createLogWatch } from './watch.ts'
import { createWebhooks } from './webhooks.ts'

export interface EventDeps {
  config(): Config
  clock: Clock
  random: Random
  log: Pick<Logger, 'warn'>
  db: Db
  meta: { nid: string }
  sessions: Pick<SessionService, 'resolve'>
  tokenTemplates(): TokenTemplates
  baseUrls: { public(): string }
  onDelivery: DelivererDeps['onDelivery']
}

/** Everything by which others hear of events. Reads the log only while somebody listens. */
export function createEvents(d: EventDeps) {
  const store = createEventLogStore(d.db, d.meta.nid)
  const head = createLogHead(store)
  const onError = (err: unknown) => d.log.warn({ err }, 'the log of events could not be read; trying again')
  const onDeliveryError = (err: unknown) => d.log.warn({ err }, 'deliveries of events wait for the database')
  const watch = createLogWatch({ head, intervalMs: d.config().lethe.events.poll_interval, onError })
  const feed = createFeed({ store, head, watch, onError })
  const shared = { ...d, store, head, feed }
  const webhookStore = createWebhookStore(d.db, d.meta.nid)
  const deliveryStore = createDeliveryStore(d.db, () => formatTime(d.clock.now()))
  const sender = createSender()
  const deliverer = createDeliverer({ ...d, store: deliveryStore, sender, onError: onDeliveryError })
  const dispatcher = createDispatcher({
    ...d,
    webhooks: webhookStore,
    deliveries: deliveryStore,
    deliverer,
    watch,
    onError: onDeliveryError,
  })
  const list = createDeliveryListStore(d.db, d.meta.nid)
  const onChange = dispatcher.refresh
  const webhooks = createWebhooks({ ...d, head, webhooks: webhookStore, list, onChange })
  return {
    eventLog: createEventLog(shared),
    eventStream: createEventStream(shared),
    holderStream: createHolderStream(shared),
    revocations: createRevocations({ ...shared, store: createRevocationStore(d.db, d.meta.nid) }),
    webhooks,
    receiverStates: createReceiverStates({ ...d, webhooks }),
    deliveries: createDeliveries({ ...d, webhooks, list, onChange }),
    background: [
      {
        start: dispatcher.start,
        async stop() {
          await dispatcher.stop()
          watch.stop()
          sender.close()
        },
      },
    ],
  }
}
