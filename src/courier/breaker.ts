import type { Micros } from '../kernel/base/clock.ts'

/**
 * Closes a channel while its server refuses all messages, and then lets one message through to see whether it
 * accepts them again.
 */
export interface Breaker {
  /** how many messages may be in flight */
  allowed(most: number, now: Micros): number
  /** @returns when the next message may be sent */
  shut(now: Micros): Micros
  open(): void
}

const FIRST_MS = 5_000
const LONGEST_MS = 60_000

export function createBreaker(): Breaker {
  let failures = 0
  let until: Micros = 0
  return {
    allowed: (most, now) => (failures === 0 ? most : now < until ? 0 : 1),
    shut(now) {
      // messages that were in flight together fail together: that is one failure
      if (now < until) return until
      until = now + Math.min(FIRST_MS * 2 ** Math.min(failures, 20), LONGEST_MS) * 1000
      failures += 1
      return until
    },
    open() {
      failures = 0
      until = 0
    },
  }
}
