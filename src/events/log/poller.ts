import type { LogHead } from './high-water-mark.ts'

export interface LogWatch {
  /**
   * Calls `onHead` at every turn with the place up to which the log is complete, until the function that is returned is
   * called; also when it has not grown, so that work that failed is tried again.
   */
  add(onHead: (head: number) => void): () => void
  /** Looks at once instead of at the next turn. */
  poke(): void
  /** Ends all watching. */
  stop(): void
}

export interface LogWatchOptions {
  head: LogHead
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
export function createLogWatch({ head, intervalMs, onError }: LogWatchOptions): LogWatch {
  const listeners = new Set<(head: number) => void>()
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
    head
      .advance()
      .then(
        (now) => {
          troubled = false
          for (const listener of listeners) listener(now)
          plan(again ? 0 : head.isBehind() ? Math.min(BEHIND_MS, intervalMs) : intervalMs)
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
    add(onHead) {
      const listener = (now: number) => onHead(now)
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
