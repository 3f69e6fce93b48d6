import type { HighWaterMark, Mark } from './high-water-mark.ts'

export interface LogPoller {
  /**
   * Calls `onMark` at every turn, until the function that is returned is called; also when the log has not grown, so that
   * work that failed is tried again.
   */
  add(onMark: (mark: Mark) => void): () => void
  /** Looks at once instead of at the next turn. */
  poke(): void
  /** Ends all watching. */
  stop(): void
}

export interface LogPollerOptions {
  highWaterMark: HighWaterMark
  intervalMs: number
  onError(error: unknown): void
}

/** A transaction that writes to the log takes milliseconds. */
const BEHIND_MS = 10
/** A database that is away is not asked ten times a second by every node. */
const TROUBLE_MS = 1000

/**
 * Looks whether the log has grown, while anybody wants to know: one small statement a turn for the whole process. NOTIFY
 * would take one lock of the whole cluster in every logout's commit, and LISTEN a connection that no pooler may share.
 */
export function createLogPoller({ highWaterMark, intervalMs, onError }: LogPollerOptions): LogPoller {
  const listeners = new Set<(mark: Mark) => void>()
  let timer: NodeJS.Timeout | undefined
  let looking = false
  let again = false
  let troubled = false

  function plan(ms: number): void {
    clearTimeout(timer)
    if (listeners.size > 0) timer = setTimeout(look, ms).unref()
  }

  function look(): void {
    if (looking) {
      again = true
      return
    }
    looking = true
    again = false
    highWaterMark
      .advance()
      .then(
        (mark) => {
          troubled = false
          for (const listener of listeners) listener(mark)
          plan(again ? 0 : highWaterMark.isBehind() ? Math.min(BEHIND_MS, intervalMs) : intervalMs)
        },
        (error) => {
          // told once for an outage, not with every try
          if (!troubled) onError(error)
          troubled = true
          plan(Math.max(TROUBLE_MS, intervalMs))
        },
      )
      .finally(() => {
        looking = false
      })
  }

  return {
    add(onMark) {
      const listener = (mark: Mark) => onMark(mark)
      listeners.add(listener)
      if (listeners.size === 1) plan(0)
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) clearTimeout(timer)
      }
    },
    poke() {
      if (listeners.size > 0) look()
    },
    stop() {
      listeners.clear()
      clearTimeout(timer)
    },
  }
}
