import { type BackgroundWork, createLoop } from '../kernel/background/loop.ts'
import { type Clock, formatTime, SECOND } from '../kernel/base/clock.ts'
import type { GcStore } from './store.ts'

export interface ReactivatedWatchDeps {
  clock: Clock
  store: Pick<GcStore, 'endRevivedSessions'>
  log: { warn(details: object, message: string): void }
}

export interface ReactivatedWatch extends BackgroundWork {
  /** One check. @returns how many sessions were ended again */
  round(): Promise<number>
}

const PAUSE_MS = 5000
/** Kratos reads the row, checks a password and writes the row: within seconds, under load within a minute. */
const LOOK_BACK = 300 * SECOND
const LIMIT = 500

/**
 * On a database shared with a running Kratos. A refresh login there writes the whole row with active = true and so brings
 * back a session that was ended meanwhile (seen 8 times in 8 tries). Lethe keeps refusing it by its tombstone; this ends the
 * row again, so that Kratos refuses it too.
 */
export function createReactivatedWatch({ clock, store, log }: ReactivatedWatchDeps): ReactivatedWatch {
  async function round(): Promise<number> {
    const ids = await store.endRevivedSessions(formatTime(clock.now() - LOOK_BACK), LIMIT)
    if (ids.length > 0) log.warn({ session_ids: ids }, 'sessions that had ended were set active by another program')
    return ids.length
  }

  return { round, ...createLoop({ name: 'the look for reactivated sessions', run: round, pauseMs: PAUSE_MS, log }) }
}
