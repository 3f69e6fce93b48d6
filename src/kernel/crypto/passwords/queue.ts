import { createTurns } from './turns.ts'
import { HashingBusy, type Share } from './types.ts'

export interface QueueLimits {
  /** jobs at once */
  concurrency: number
  /** most queued jobs */
  queue: number
  /** milliseconds; a job that would wait longer, judging by the last ones, is refused at once @default 5000 */
  maxWaitMs?: number
  /** called at every change, with the running and the queued jobs */
  onLoad?: (running: number, waiting: number) => void
}

/** The last jobs, by which the time of the next is estimated. */
const RECENT = 16
/** The slowest of them do not count: they waited for a thread to start, or the machine was suspended. */
const OUTLIERS = 4

/**
 * The largest part of the queue that one identifier, and one network, may fill. Logins with the right password cost as
 * much as wrong ones: without these bounds one account at six a second kept all others out.
 */
const SHARES = { identifier: 1 / 16, network: 1 / 4 }
const UNKNOWN: Share = { identifier: '', network: '' }

/**
 * Networks and identifiers take turns. Beyond `queue` queued jobs, beyond its share of them, or where its turn would come
 * later than in `maxWaitMs`, a call is refused at once: a flood of logins then costs 503s and not memory, no work is
 * done for a client that has given up, and queued calls still get their answer in time.
 */
export function boundedQueue(limits: QueueLimits): <T>(job: () => Promise<T>, share?: Share) => Promise<T> {
  const waiting = createTurns<() => void>()
  const { maxWaitMs = 5000 } = limits
  let running = 0
  const recentMs: number[] = []
  /** A mean, since one quick job (an imported hash without cost, say) tells nothing about the queued ones. */
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

  return async (job, share = UNKNOWN) => {
    if (running >= limits.concurrency) {
      if (isFullFor(share) || expectedMs(share) > maxWaitMs) throw new HashingBusy()
      // The job that ends hands over its turn, so `running` does not change and no other call can take it.
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
