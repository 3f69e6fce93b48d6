import { eventAnswer, matches } from '../log/answer.ts'
import { comment, type Feed, type FeedItem, type FeedPosition, feedItem, type Lost } from '../log/feed.ts'
import type { HighWaterMark } from '../log/high-water-mark.ts'
import { formatPlace, isAfter, type LogPlace, laterOf, type Place } from '../log/place.ts'
import type { EventLogStore } from '../log/store.ts'
import type { EventFilter } from '../types.ts'

/** Where a stream is written to. Nothing is sent before the first `write`. */
export interface Sink {
  /** A client that does not read is cut off: it comes back and goes on where it was. */
  write(text: string): void
  /** Waits until the client has read what was written. */
  drained(): Promise<void>
  end(): void
  closed(): boolean
  onClose(work: () => void): void
  /** @param text what is sent as a heartbeat, asked for at each */
  keepAlive(text: () => string): void
}

export interface StreamRequest {
  filter: EventFilter
  /** the place after which to begin; undefined: with what comes next */
  after: Place | undefined
  /** begin with so many of the last ones instead */
  last: number | undefined
}

export interface EventStreamDeps {
  feed: Feed
  highWaterMark: HighWaterMark
  store: Pick<EventLogStore, 'read' | 'last' | 'floor'>
  /** hears of each client that was told something which the log has lost */
  onLost(): void
}

const PAGE = 500
/** Events that may pile up while a client reads what it has missed. */
const MAX_WAITING = 10_000

/**
 * Events as they come, after those that the client has missed. Membership in the feed begins first, so that nothing
 * falls between the two. The place of a client never goes back, but where the log itself has: then the stream says so.
 */
export function createEventStream(d: EventStreamDeps) {
  /** @throws StoreUnavailable before anything is written */
  async function open(request: StreamRequest, sink: Sink): Promise<void> {
    const waiting: (FeedItem | Lost)[] = []
    let place: LogPlace | undefined
    const tell = (next: FeedItem | Lost) => {
      if (place === undefined) {
        if (waiting.push(next) > MAX_WAITING) sink.end()
      } else if ('continuesAfter' in next) {
        // who came from another node may have been told of it there
        if (place.number <= next.after.number) place = tellLost(place, next.continuesAfter, sink)
      } else if (isAfter(next.place, place)) {
        // what is not after it the client has from another node, which was further
        place = next.place
        if (matches(request.filter, next.event)) sink.write(next.text)
      }
    }
    const { from, leave } = await d.feed.join({ onItem: tell, onLost: tell })
    sink.onClose(leave)
    try {
      const begun = await begin(request, from, sink)
      // who is cut off before the first event comes goes on from here
      sink.write(`id: ${formatPlace(begun)}\n\n`)
      place = begun
    } catch (error) {
      leave()
      throw error
    }
    for (const next of waiting) tell(next)
    sink.keepAlive(() => heartbeat(place!, d.feed.position()))
  }

  /** Tells what comes before the feed. @returns the client's place then */
  async function begin({ filter, after, last }: StreamRequest, from: FeedPosition, sink: Sink): Promise<LogPlace> {
    if (last !== undefined) {
      const rows = last > 0 ? await d.store.last(from.seq, last, filter) : []
      for (const event of rows.reverse().map(eventAnswer)) sink.write(feedItem(event, from, undefined).text)
      return from
    }
    // what was committed before the request is past
    if (after === undefined) return laterOf(from, await d.highWaterMark.settle())
    const { place, lost } = await d.highWaterMark.follow(after)
    if (lost) tellLost(after, place, sink)
    const floor = await d.store.floor()
    if (place.seq < floor) sink.write(gap(place, { deleted_up_to: floor }, { ...place, seq: floor }))
    // where the feed goes on in the epoch that counts now, which it may not have heard of yet
    const fed = from.epoch === place.epoch ? from : (await d.highWaterMark.follow(from)).place
    await tellMissed(filter, place, fed, sink)
    return laterOf(place, fed)
  }

  async function tellMissed(filter: EventFilter, after: LogPlace, { seq: upTo }: LogPlace, sink: Sink) {
    for (let seq = after.seq; seq < upTo && !sink.closed(); ) {
      const rows = await d.store.read(seq, upTo, PAGE, filter)
      for (const event of rows.map(eventAnswer)) {
        if (matches(filter, event)) sink.write(feedItem(event, after, undefined).text)
      }
      await sink.drained()
      seq = rows.length < PAGE ? upTo : rows.at(-1)!.seq
    }
  }

  function tellLost(after: Place, continuesAfter: LogPlace, sink: Sink): LogPlace {
    sink.write(gap(after, { lost: true }, continuesAfter))
    d.onLost()
    return continuesAfter
  }

  return { open }
}

export type EventStream = ReturnType<typeof createEventStream>

/** What was told up to a place, or would have been, is not all there; the stream goes on after another. */
function gap(after: Place, why: Record<string, unknown>, continuesAfter: LogPlace): string {
  const data = { after: after.seq, place: formatPlace(after), ...why, continues_after: formatPlace(continuesAfter) }
  return `id: ${formatPlace(continuesAfter)}\nevent: gap\ndata: ${JSON.stringify(data)}\n\n`
}

/** The client's place, and up to when it has been told everything. */
function heartbeat(place: LogPlace, fed: FeedPosition | undefined): string {
  return `${comment(fed?.completeAt)}id: ${formatPlace(fed === undefined ? place : laterOf(place, fed))}\n\n`
}
