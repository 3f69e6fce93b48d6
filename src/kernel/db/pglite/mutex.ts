import { startDeadline } from '../../base/running-clock.ts'
import { StoreUnavailable } from '../client.ts'

/**
 * Runs one piece of work at a time, in the order of the calls. A call that waits longer than `timeoutMs` is refused, so
 * that a transaction that never ends makes the store unavailable instead of hanging every request.
 */
export function createMutex(timeoutMs: number): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return async (work) => {
    const previous = last
    let release = () => {}
    const mine = new Promise<void>((resolve) => {
      release = resolve
    })
    last = previous.then(() => mine)
    let stop = () => {}
    const late = new Promise<never>((_, reject) => {
      const busy = () => reject(new StoreUnavailable(`the database was busy for ${timeoutMs} ms`))
      stop = startDeadline(timeoutMs, busy)
    })
    try {
      await Promise.race([previous, late])
      stop()
      return await work()
    } finally {
      stop()
      release()
    }
  }
}
