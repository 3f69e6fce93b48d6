import type { EventLogStore } from './store.ts'

export interface LogHead {
  /**
   * The place up to which the log is complete: no row at or below it can appear any more. Asked of the database after
   * the call, so that what was committed before it counts.
   * @throws StoreUnavailable
   */
  advance(): Promise<number>
  /** whether more has been seen than is known to be complete, so that it is worth asking again soon */
  isBehind(): boolean
}

/**
 * Places are drawn before their transactions commit, so a row may appear below one that was read already, and a reader
 * that only asks for what is greater would miss it. So the greatest place seen counts only when every transaction that
 * was writing to the log at that moment has ended. Other transactions, however long, do not matter; to them a comparison
 * of transaction ids with the oldest one that runs would be tied.
 */
export function createLogHead(store: Pick<EventLogStore, 'newest' | 'writers'>): LogHead {
  let complete = 0
  let candidate = 0
  let waiting: ReadonlySet<string> = new Set()
  let asking: Promise<number> | undefined
  let next: Promise<number> | undefined

  async function ask(): Promise<number> {
    if (waiting.size === 0) {
      candidate = Math.max(complete, await store.newest())
      if (candidate === complete) return complete
      waiting = new Set(await store.writers())
    } else {
      const writing = new Set(await store.writers())
      waiting = new Set([...waiting].filter((id) => writing.has(id)))
    }
    if (waiting.size === 0) complete = candidate
    return complete
  }

  function start(): Promise<number> {
    asking = ask().finally(() => {
      asking = undefined
    })
    return asking
  }

  return {
    advance() {
      if (!asking) return start()
      // the one under way may have looked before the caller's commit
      next ??= asking
        .catch(() => undefined)
        .then(() => {
          next = undefined
          return start()
        })
      return next
    },
    isBehind: () => waiting.size > 0,
  }
}
