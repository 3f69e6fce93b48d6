import type { Config } from '../../config/schema/schema.ts'
import { type Clock, formatTime } from '../../kernel/base/clock.ts'
import type { HighWaterMark } from './high-water-mark.ts'
import type { EventLogStore, OldPage } from './store.ts'

export interface EventRetentionDeps {
  config(): Config
  clock: Clock
  store: Pick<EventLogStore, 'deleteOld'>
  highWaterMark: Pick<HighWaterMark, 'advance'>
  receivers(): Promise<OldPage['receivers']>
}

/** Events that a receiver still needs are read and kept. One run reads so many of them, and the next continues. */
const KEPT_ROWS = 100_000

/**
 * Deletes events that are past `lethe.events.retention` and that no receiver still needs, `limit` rows a statement.
 * The window of the list of revocations is never longer: such a configuration is refused. @returns how many were deleted
 */
export function createEventRetention(d: EventRetentionDeps): (limit: number) => Promise<number> {
  let after: OldPage['after']

  return async (limit) => {
    const until = formatTime(d.clock.now() - Math.trunc(d.config().lethe.events.retention * 1000))
    // without listeners nothing else moves the mark
    await d.highWaterMark.advance()
    const receivers = await d.receivers()
    let total = 0
    for (let kept = 0; kept < KEPT_ROWS; ) {
      const { count, next } = await d.store.deleteOld({ until, limit, after, receivers })
      total += count
      kept += limit - count
      after = next
      if (next === undefined) break
    }
    return total
  }
}
