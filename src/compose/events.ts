import { createEvents } from '../events/service.ts'
import { createStreams } from '../events/stream/sse.ts'
import type { Base } from './environment.ts'
import type { Sessions } from './sessions.ts'

export type Events = ReturnType<typeof composeEvents>

export function composeEvents(d: Base, { sessions }: Pick<Sessions, 'sessions'>) {
  const { config, clock, random, log, db, meta, tokenTemplates, baseUrls } = d
  const { delivery: onDelivery, epoch: onEpoch, lost: onLost, watchLog, watchStreams } = d.metrics.events
  const events = createEvents({
    config,
    clock,
    random,
    log,
    db,
    meta,
    sessions,
    tokenTemplates,
    baseUrls,
    onDelivery,
    onEpoch,
    onLost,
  })
  const streams = createStreams(() => config().lethe.events.stream)
  watchLog(events.eventStatus)
  watchStreams(streams.count)
  return { ...events, streams }
}
