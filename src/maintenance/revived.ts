import { type Clock, formatTime, SECOND } from '../kernel/base/clock.ts'
import type { GcStore } from './store.ts'

export interface RevivalWatchDeps {
  clock: Clock
  store: Pick<GcStore, 'endRevivedSessions'>
  log: { warn(details: object, message: string): void; error(details: object, message: string): void }
}

export interface RevivalWatch {
  /** One look. @returns how many sessions were set back */
  round(): Promise<number>
  start(): void
  /** Resolves when a look that is under way has ended. */
  stop(): Promise<void>
}

const PAUSE_MS = 5000
/** Kratos reads the row, checks a password and writes the row: within seconds, under load within a minute. */
const LOOK_BACK = 300 * SECOND
const LIMIT = 500

/**
 * On a database shared with a running Kratos. A refresh login there writes the whole row with active = true and so brings
 * back a session that was ended meanwhile (seen 8 times in 8 tries). Here it stays refused by its tombstone; this sets the
 * row back, so that Kratos refuses it too.
 */
export function createRevivalWatch({ clock, store, log }: RevivalWatchDeps): RevivalWatch {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()
  let stopped = false

  async function round(): Promise<number> {
    const ids = await store.endRevivedSessions(formatTime(clock.now() - LOOK_BACK), LIMIT)
    if (ids.length > 0) log.warn({ session_ids: ids }, 'sessions that had ended were set active by another program')
    return ids.length
  }

  function schedule(): void {
    if (stopped) return
    timer = setTimeout(() => {
      running = round()
        .catch((err) => log.error({ err }, 'a look for revived sessions failed; the next one tries again'))
        .finally(schedule)
    }, PAUSE_MS)
    timer.unref()
  }

  return {
    round,
    start: schedule,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
