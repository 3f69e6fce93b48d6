import { formatTime, type Micros } from '../../kernel/base/clock.ts'
import type { EventAnswer } from '../types.ts'
import { eventAnswer } from './answer.ts'
import type { HighWaterMark, Mark } from './high-water-mark.ts'
import type { LogPoller } from './poller.ts'
import { formatPosition, isAfter, type LogPosition } from './position.ts'
import type { EventLogStore } from './store.ts'

/** An event on its way to listeners; its text is made once for all of them. */
export interface FeedItem {
  event: EventAnswer
  position: LogPosition
  /** as a message of a stream: `id`, `event`, `data` */
  text: string
}

export interface FeedListener {
  onItem(item: FeedItem): void
  /** Events up to a position are lost that the listener may have got; the feed continues after another position. */
  onLost?(lost: Lost): void
}

export interface Lost {
  after: LogPosition
  continuesAfter: LogPosition
}

/** How far the feed has read. */
export interface FeedPosition extends LogPosition {
  /** everything committed before this time has been handed over; undefined: not known */
  completeAt: Micros | undefined
  /** when that was known, by the clock of the database */
  readAt: Micros
}

export interface Membership {
  /** events after this position are handed over; earlier ones must be read from the log */
  from: FeedPosition
  leave(): void
}

export interface Feed {
  /** Receives every event from now on, in the order of the log. @throws StoreUnavailable */
  join(listener: FeedListener): Promise<Membership>
  /** Receives only those of one session. @throws StoreUnavailable */
  joinSession(sessionId: string, onItem: (item: FeedItem) => void): Promise<Membership>
  /** undefined while there are no listeners */
  position(): FeedPosition | undefined
}

export interface FeedDeps {
  store: Pick<EventLogStore, 'read'>
  highWaterMark: HighWaterMark
  poller: LogPoller
  onError(error: unknown): void
}

const PAGE = 500

/** @param completeAt everything committed before has been sent on this stream; undefined: not known yet */
export function feedItem(event: EventAnswer, log: LogPosition, completeAt: Micros | undefined): FeedItem {
  const position = { epoch: log.epoch, number: log.number, seq: event.seq }
  let text: string | undefined
  return {
    event,
    position,
    get text() {
      text ??= `${comment(completeAt)}id: ${formatPosition(position)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
      return text
    },
  }
}

/** A line that clients skip, except those that want to know up to when they have got everything. */
export function comment(completeAt: Micros | undefined): string {
  return `: complete_up_to ${completeAt === undefined ? 'unknown' : formatTime(completeAt)}\n`
}

/** Reads the log once for all listeners of this process, and only while there are any. */
export function createFeed(d: FeedDeps): Feed {
  const everything = new Set<FeedListener>()
  const bySession = new Map<string, Set<(item: FeedItem) => void>>()
  let count = 0
  let position: FeedPosition | undefined
  let starting: Promise<void> | undefined
  let stopPolling: (() => void) | undefined
  let pumping = false
  let mark: Mark | undefined

  function start(): Promise<void> {
    starting ??= d.highWaterMark
      .settle()
      .then((now) => {
        position = positionOf(now)
        stopPolling = d.poller.add((grown) => {
          mark = grown
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
      while (mark !== undefined && position !== undefined && isBehind(position, mark)) await step(mark)
    } catch (error) {
      d.onError(error)
    } finally {
      pumping = false
    }
  }

  async function step(upTo: Mark): Promise<void> {
    const before = position!
    if (before.epoch !== upTo.epoch) return goOn(before)
    const rows = before.seq < upTo.seq ? await d.store.read(before.seq, upTo.seq, PAGE) : []
    // all listeners may have left, and others joined, while the statement ran
    if (position !== before) return
    for (const row of rows) hand(feedItem(eventAnswer(row), before, before.completeAt))
    position = rows.length < PAGE ? positionOf(upTo) : { ...before, seq: rows.at(-1)!.seq }
  }

  async function goOn(before: FeedPosition): Promise<void> {
    const { position: next, lost } = await d.highWaterMark.follow(before)
    if (position !== before) return
    position = { ...before, ...next, completeAt: lost ? undefined : before.completeAt }
    if (lost) for (const { onLost } of everything) onLost?.({ after: before, continuesAfter: next })
  }

  function hand(item: FeedItem): void {
    for (const { onItem } of everything) onItem(item)
    const { session_id } = item.event
    if (session_id !== null) for (const onItem of bySession.get(session_id) ?? []) onItem(item)
  }

  async function join(add: () => void, remove: () => void): Promise<Membership> {
    count += 1
    const leave = () => {
      remove()
      count -= 1
      if (count > 0) return
      stopPolling?.()
      stopPolling = undefined
      position = undefined
      mark = undefined
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
    join: (listener) =>
      join(
        () => everything.add(listener),
        () => everything.delete(listener),
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

const positionOf = ({ epoch, number, seq, completeAt, readAt }: Mark): FeedPosition => ({
  epoch,
  number,
  seq,
  completeAt,
  readAt,
})

/** A mark that was read earlier may arrive later. */
function isBehind(position: FeedPosition, mark: Mark): boolean {
  return isAfter(mark, position) || (!isAfter(position, mark) && mark.readAt > position.readAt)
}
