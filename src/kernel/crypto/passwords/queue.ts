import { createTurns } from './turns.ts'
import { HashingBusy, type Share } from './types.ts'

export interface QueueLimits {
  /** jobs at once */
  concurrency: number
  /** jobs that may wait for their turn */
  queue: number
  /** milliseconds; who would wait longer, as far as the last jobs tell, is refused at once @default 5000 */
  maxWaitMs?: number
  /** hears of every change: jobs under way and jobs that wait */
  onLoad?: (running: number, waiting: number) => void
}

/** Jobs that tell how long one takes. */
const RECENT = 16
/** The slowest of them do not count: they waited for a thread to start, or the machine was suspended. */
const OUTLIERS = 4

/**
 * The least part of the queue that one identifier, and one network, may fill. Sign-ins with the right password cost as
 * much as wrong ones: without these bounds one account at six a second was seen to keep everybody else out.
 */
const SHARES = { identifier: 1 / 16, network: 1 / 4 }
const NOBODY: Share = { identifier: '', network: '' }

/**
 * Networks and identifiers take turns. Beyond `queue` waiting jobs, beyond its share of them, or where the turn would come
 * later than in `maxWaitMs`, the caller is refused at once: a flood of logins then costs 503s and not memory, no work is
 * done for a client that has given up, and those who wait still get their answer in time.
 */
export function boundedQueue(limits: QueueLimits): <T>(job: () => Promise<T>, share?: Share) => Promise<T> {
  const waiting = createTurns<() => void>()
  const { maxWaitMs = 5000 } = limits
  let running = 0
  const recentMs: number[] = []
  /** A mean, since a quick job (an imported hash without cost, say) tells nothing about those that wait. */
  const oneMs = () => {
    const counted = recentMs.toSorted((a, b) => a - b).slice(0, RECENT - OUTLIERS)
    return counted.reduce((sum, ms) => sum + ms, 0) / counted.length
  }
  const expectedMs = (share: Share) =>
    recentMs.length < RECENT ? 0 : ((waiting.ahead(share) + 1) * oneMs()) / limits.concurrency
  const changed = () => limits.onLoad?.(running, waiting.size)

  function isFullFor(share: Share): boolean {
    if (waiting.size >= limits.queue) return true
    const { identifier, network } = waiting.of(share)
    const mayWait = (part: number) => Math.max(1, limits.queue * part)
    if (share.identifier !== '' && identifier >= mayWait(SHARES.identifier)) return true
    return share.network !== '' && network >= mayWait(SHARES.network)
  }

  return async (job, share = NOBODY) => {
    if (running >= limits.concurrency) {
      if (isFullFor(share) || expectedMs(share) > maxWaitMs) throw new HashingBusy()
      // The turn is handed over by the job that ends, so `running` does not change and nobody can slip in between.
      await new Promise<void>((turn) => {
        waiting.add(share, turn)
        changed()
      })
    } else {
      running++
      changed()
    }
    const started = performance.now()
    try {
      return await job()
    } finally {
      recentMs.push(performance.now() - started)
      if (recentMs.length > RECENT) recentMs.shift()
      const next = waiting.next()
      if (next === undefined) running--
      else next()
      changed()
    }
  }
}
