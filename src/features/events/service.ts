import type { Clock } from '../../clock.ts'
import type { Config } from '../../config/schema.ts'
import type { Db } from '../../db/client.ts'
import type { Logger } from '../../log.ts'
import type { SessionService } from '../sessions/service.ts'
import { createFeed } from './feed.ts'
import { createLogHead } from './head.ts'
import { createHolderStream } from './holder-stream.ts'
import { createEventLog } from './log.ts'
import { createEventLogStore } from './store-log.ts'
import { createEventStream } from './stream.ts'
import { createLogWatch } from './watch.ts'

export interface EventDeps {
  config(): Config
  clock: Clock
  log: Pick<Logger, 'warn'>
  db: Db
  meta: { nid: string }
  sessions: Pick<SessionService, 'resolve'>
}

/** Everything by which others hear of events. Reads the log only while somebody listens. */
export function createEvents(d: EventDeps) {
  const store = createEventLogStore(d.db, d.meta.nid)
  const head = createLogHead(store)
  const onError = (err: unknown) => d.log.warn({ err }, 'the log of events could not be read; trying again')
  const watch = createLogWatch({ head, intervalMs: d.config().lethe.events.poll_interval, onError })
  const feed = createFeed({ store, head, watch, onError })
  const shared = { ...d, store, head, feed }
  return {
    eventLog: createEventLog(shared),
    eventStream: createEventStream(shared),
    holderStream: createHolderStream(shared),
    background: [{ start() {}, stop: async () => watch.stop() }],
  }
}
