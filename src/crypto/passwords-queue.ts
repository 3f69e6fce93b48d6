import { HashingBusy } from './passwords-types.ts'

export interface QueueLimits {
  /** jobs at once */
  concurrency: number
  /** jobs that may wait for their turn */
  queue: number
  /** hears of every change: jobs under way and jobs that wait */
  onLoad?: (running: number, waiting: number) => void
}

/**
 * First come, first served. Beyond `queue` waiting jobs the caller is refused at once: a flood of logins then costs
 * 503s and not memory, and those who wait still get their answer before their client gives up.
 */
export function boundedQueue(limits: QueueLimits): <T>(job: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0
  const changed = () => limits.onLoad?.(running, waiting.length)

  return async (job) => {
    if (running >= limits.concurrency) {
      if (waiting.length >= limits.queue) throw new HashingBusy()
      // The turn is handed over by the job that ends, so `running` does not change and nobody can slip in between.
      await new Promise<void>((turn) => {
        waiting.push(turn)
        changed()
      })
    } else {
      running++
      changed()
    }
    try {
      return await job()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
      changed()
    }
  }
}
