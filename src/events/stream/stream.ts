import { eventAnswer, matches } from '../log/answer.ts'
import { comment, type Feed, type FeedItem, type FeedPosition, feedItem, type Lost } from '../log/feed.ts'
import type { HighWaterMark } from '../log/high-water-mark.ts'
import { formatPosition, isAfter, type LogPosition, laterOf, type Position } from '../log/position.ts'
import type { EventLogStore } from '../log/store.ts'
import type { EventAnswer, EventFilter } from '../types.ts'

/** The output of a stream. Nothing is sent before the first `write`. */
export interface Sink {
  /** A client that does not read is cut off: it reconnects and continues where it was. */
  write(text: string): void
  /** Waits until the client has read what was written. */
  drained(): Promise<void>
  end(): void
  closed(): boolean
  /** Runs `work` when nothing can be written any more: at the end, or when the client has gone. */
  onEnd(work: () => void): void
  /** @param text the heartbeat, made anew each time */
  keepAlive(text: () => string): void
}

export interface StreamRequest {
  filter: EventFilter
  /** the position after which to begin; undefined: with the next event */
  after: Position | undefined
  /** begin with so many of the latest ones instead */
  last: number | undefined
}

export interface EventStreamDeps {
  feed: Feed
  highWaterMark: HighWaterMark
  store: Pick<EventLogStore, 'read' | 'last' | 'floor'>
  /** called for each client that got events which the log has lost since */
  onLost(): void
}

const PAGE = 500
/** Events that may queue up while a client reads what it has missed. */
const MAX_WAITING = 10_000

/**
 * Events as they come, after those that the client has missed. It joins the feed first, so that no event
 * falls between the two. The position of a client never goes back, unless the log itself has: then the stream says so.
 */
export function createEventStream(d: EventStreamDeps) {
  /** @throws StoreUnavailable */
  async function open(request: StreamRequest, sink: Sink): Promise<void> {
    const waiting: (FeedItem | Lost)[] = []
    let position: LogPosition | undefined
    const tell = (next: FeedItem | Lost) => {
      if (position === undefined) {
        if (waiting.push(next) > MAX_WAITING) sink.end()
      } else if ('continuesAfter' in next) {
        // a client that comes from another node may have learnt of the loss there
        if (position.number <= next.after.number) position = tellLost(position, next.continuesAfter, sink)
      } else if (isAfter(next.position, position)) {
        // a client that comes from a node that was further has got it already
        position = next.position
        if (matches(request.filter, next.event)) sink.write(next.text)
      }
    }
    const { from, leave } = await d.feed.join({ onItem: tell, onLost: tell })
    sink.onEnd(leave)
    const begun = await begin(request, from, sink)
    // a client that is cut off before the first event continues from here
    sink.write(`id: ${formatPosition(begun)}\n\n`)
    position = begun
    for (const next of waiting) tell(next)
    sink.keepAlive(() => heartbeat(position!, d.feed.position()))
  }

  /** Sends what comes before the feed. @returns the client's position then */
  async function begin({ filter, after, last }: StreamRequest, from: FeedPosition, sink: Sink): Promise<LogPosition> {
    if (last !== undefined) {
      const rows = last > 0 ? await d.store.last(from.seq, last, filter) : []
      for (const event of rows.reverse().map(eventAnswer)) await tellOne(event, from, sink)
      return from
    }
    // events committed before the request are not wanted
    if (after === undefined) return laterOf(from, await d.highWaterMark.settle())
    const { position, lost } = await d.highWaterMark.follow(after)
    if (lost) tellLost(after, position, sink)
    // the position of the feed in the present epoch, which the feed may not know yet
    const fed = from.epoch === position.epoch ? from : (await d.highWaterMark.follow(from)).position
    await tellMissed(filter, position, fed, sink)
    return laterOf(position, fed)
  }

  async function tellMissed(filter: EventFilter, after: LogPosition, { seq: upTo }: LogPosition, sink: Sink) {
    for (let [seq, deleted] = [after.seq, 0]; !sink.closed(); ) {
      const rows = await d.store.read(seq, upTo, PAGE, filter)
      // asked after the page was read: what was deleted before, also meanwhile, is at or below it
      const floor = await d.store.floor()
      const position = { ...after, seq }
      // events that a receiver still needs are kept below the floor and follow: a position beyond them would skip them
      if (floor > Math.max(seq, deleted)) sink.write(gap(position, { deleted_up_to: floor }, position))
      deleted = floor
      for (const event of rows.map(eventAnswer)) if (matches(filter, event)) await tellOne(event, after, sink)
      if (rows.length < PAGE) return
      seq = rows.at(-1)!.seq
    }
  }

  /** Waits for the client each time: what it has not read of a whole page could be more than a sink holds. */
  async function tellOne(event: EventAnswer, log: LogPosition, sink: Sink): Promise<void> {
    sink.write(feedItem(event, log, undefined).text)
    await sink.drained()
  }

  function tellLost(after: Position, continuesAfter: LogPosition, sink: Sink): LogPosition {
    sink.write(gap(after, { lost: true }, continuesAfter))
    d.onLost()
    return continuesAfter
  }

  return { open }
}

export type EventStream = ReturnType<typeof createEventStream>

/** Says that events are missing, and after which position the stream continues. */
function gap(after: Position, why: Record<string, unknown>, continuesAfter: LogPosition): string {
  const data = {
    after: after.seq,
    place: formatPosition(after),
    ...why,
    continues_after: formatPosition(continuesAfter),
  }
  return `id: ${formatPosition(continuesAfter)}\nevent: gap\ndata: ${JSON.stringify(data)}\n\n`
}

/** The client's position, and up to when it has got everything. */
function heartbeat(position: LogPosition, fed: FeedPosition | undefined): string {
  return `${comment(fed?.completeAt)}id: ${formatPosition(fed === undefined ? position : laterOf(position, fed))}\n\n`
}
