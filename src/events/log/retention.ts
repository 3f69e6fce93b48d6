import type { Config } from '../../config/schema/schema.ts'
import { type Clock, formatTime } from '../../kernel/base/clock.ts'
import type { EventLogStore } from './store.ts'

export interface EventRetentionDeps {
  config(): Config
  clock: Clock
  store: Pick<EventLogStore, 'deleteOld'>
}

/** Deletes events that are past `lethe.events.retention`, `limit` rows a statement. @returns how many */
export function createEventRetention({ config, clock, store }: EventRetentionDeps): (limit: number) => Promise<number> {
  return async (limit) => {
    const until = formatTime(clock.now() - Math.trunc(config().lethe.events.retention * 1000))
    for (let total = 0; ; ) {
      const count = await store.deleteOld(until, limit)
      total += count
      if (count < limit) return total
    }
  }
}
