import type { EventAnswer } from '../types.ts'
import { eventAnswer } from './answer.ts'
import type { LogHead } from './high-water-mark.ts'
import type { LogWatch } from './poller.ts'
import type { EventLogStore } from './store.ts'

/** An event on its way to listeners; its text is made once for all of them. */
export interface FeedItem {
  event: EventAnswer
  /** as a message of a stream: `id`, `event`, `data` */
  text: string
}

export interface Membership {
  /** events after this place are handed over; earlier ones must be read from the log */
  from: number
  leave(): void
}

export interface Feed {
  /** Hears every event from now on, in the order of the log. @throws StoreUnavailable */
  join(onItem: (item: FeedItem) => void): Promise<Membership>
  /** Hears only those of one session. @throws StoreUnavailable */
  joinSession(sessionId: string, onItem: (item: FeedItem) => void): Promise<Membership>
  /** the place up to which events were handed over; undefined while nobody listens */
  position(): number | undefined
}

export interface FeedDeps {
  store: Pick<EventLogStore, 'read'>
  head: LogHead
  watch: LogWatch
  onError(error: unknown): void
}

const PAGE = 500

export function feedItem(event: EventAnswer): FeedItem {
  let text: string | undefined
  return {
    event,
    get text() {
      text ??= `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
      return text
    },
  }
}

/** Reads the log once for all listeners of this process, and only while there are any. */
export function createFeed(d: FeedDeps): Feed {
  const everything = new Set<(item: FeedItem) => void>()
  const bySession = new Map<string, Set<(item: FeedItem) => void>>()
  let count = 0
  let position: number | undefined
  let starting: Promise<void> | undefined
  let unwatch: (() => void) | undefined
  let pumping = false
  let head = 0

  function start(): Promise<void> {
    starting ??= d.head
      .advance()
      .then((now) => {
        position = now
        unwatch = d.watch.add((grown) => {
          head = Math.max(head, grown)
          void pump()
        })
      })
      .finally(() => {
        starting = undefined
      })
    return starting
  }

  async function pump(): Promise<void> {
    if (pumping) return
    pumping = true
    try {
      while (position !== undefined && position < head) {
        const upTo = head
        const rows = await d.store.read(position, upTo, PAGE)
        // everybody may have left, and others come, while the statement was on its way
        if (position === undefined) break
        for (const row of rows) if (row.seq > position) hand(feedItem(eventAnswer(row)))
        position = Math.max(position, rows.length < PAGE ? upTo : rows.at(-1)!.seq)
      }
    } catch (error) {
      d.onError(error)
    } finally {
      pumping = false
    }
  }

  function hand(item: FeedItem): void {
    for (const listener of everything) listener(item)
    const { session_id } = item.event
    if (session_id !== null) for (const listener of bySession.get(session_id) ?? []) listener(item)
  }

  async function join(add: () => void, remove: () => void): Promise<Membership> {
    count += 1
    const leave = () => {
      remove()
      count -= 1
      if (count > 0) return
      unwatch?.()
      unwatch = undefined
      position = undefined
    }
    try {
      while (position === undefined) await start()
    } catch (error) {
      leave()
      throw error
    }
    add()
    let left = false
    return {
      from: position,
      leave() {
        if (left) return
        left = true
        leave()
      },
    }
  }

  return {
    join: (onItem) =>
      join(
        () => everything.add(onItem),
        () => everything.delete(onItem),
      ),
    joinSession(sessionId, onItem) {
      const add = () => {
        const known = bySession.get(sessionId)
        if (known) known.add(onItem)
        else bySession.set(sessionId, new Set([onItem]))
      }
      const remove = () => {
        const known = bySession.get(sessionId)
        known?.delete(onItem)
        if (known?.size === 0) bySession.delete(sessionId)
      }
      return join(add, remove)
    },
    position: () => position,
  }
}
