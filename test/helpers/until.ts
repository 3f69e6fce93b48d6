import { setTimeout as sleep } from 'node:timers/promises'

/** Far longer than it ever takes: a machine may be slow, busy, or asleep for a while. */
export const PATIENCE_MS = 120_000

type Found<T> = Exclude<T, undefined | null | false | '' | 0>

/**
 * Waits for what another process, a timer or the network does, and gives what was found.
 * @param look is asked again and again until it gives something: `false`, nothing, an empty text or 0 is not yet
 */
export async function until<T>(look: () => T | Promise<T>, what = 'what was waited for'): Promise<Found<T>> {
  const started = performance.now()
  for (;;) {
    const found = await look()
    if (found) return found as Found<T>
    if (performance.now() - started > PATIENCE_MS) throw new Error(`${what} did not come in ${PATIENCE_MS / 1000} s`)
    await sleep(20)
  }
}
