import { createLoop } from '../../kernel/background/loop.ts'
import type { HighWaterMark, Mark } from './high-water-mark.ts'

export interface LogPoller {
  /**
   * Calls `onMark` at every poll, until the returned function is called; also when the log has not grown, so that
   * failed work is tried again.
   */
  add(onMark: (mark: Mark) => void): () => void
  /** Ends polling. */
  stop(): Promise<void>
}

export interface LogPollerOptions {
  highWaterMark: HighWaterMark
  intervalMs: number
  log: { warn(details: object, message: string): void }
}

/** A transaction that writes to the log takes milliseconds. */
const BEHIND_MS = 10
/** While the database is away, each node asks once a second and not ten times. */
const TROUBLE_MS = 1000

/**
 * Polls whether the log has grown, while there are listeners: one small statement a turn for the whole process. NOTIFY
 * would take one lock of the whole cluster in every logout's commit, and LISTEN a connection that no pooler may share.
 */
export function createLogPoller({ highWaterMark, intervalMs, log }: LogPollerOptions): LogPoller {
  const listeners = new Set<(mark: Mark) => void>()
  const loop = createLoop({
    name: 'reading the log of events',
    async run() {
      const mark = await highWaterMark.advance()
      for (const listener of listeners) listener(mark)
    },
    pauseMs: () => (highWaterMark.isBehind() ? Math.min(BEHIND_MS, intervalMs) : intervalMs),
    failedPauseMs: Math.max(TROUBLE_MS, intervalMs),
    atOnce: true,
    log,
  })
  return {
    add(onMark) {
      const listener = (mark: Mark) => onMark(mark)
      listeners.add(listener)
      loop.start()
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) void loop.stop()
      }
    },
    stop() {
      listeners.clear()
      return loop.stop()
    },
  }
}
