import { eventAnswer, matches } from '../log/answer.ts'
import { type Feed, type FeedItem, feedItem } from '../log/feed.ts'
import type { LogHead } from '../log/high-water-mark.ts'
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
  /** @param mark what the client is to remember as its place, asked for at every sign of life */
  keepAlive(mark: () => string): void
}

export interface StreamRequest {
  filter: EventFilter
  /** the place after which to begin; undefined: with what comes next */
  after: number | undefined
  /** begin with so many of the last ones instead */
  last: number | undefined
}

export interface EventStreamDeps {
  feed: Feed
  head: LogHead
  store: Pick<EventLogStore, 'read' | 'last' | 'floor'>
}

const PAGE = 500
/** Events that may pile up while a client reads what it has missed. */
const MAX_WAITING = 10_000

/**
 * Events as they come, after those that the client has missed. Membership in the feed begins first, so that nothing
 * falls between the two.
 */
export function createEventStream(d: EventStreamDeps) {
  /** @throws StoreUnavailable before anything is written */
  async function open(request: StreamRequest, sink: Sink): Promise<void> {
    const waiting: FeedItem[] = []
    let live = false
    const { from, leave } = await d.feed.join((item) => {
      if (!matches(request.filter, item.event)) return
      if (live) sink.write(item.text)
      else if (waiting.push(item) > MAX_WAITING) sink.end()
    })
    sink.onClose(leave)
    try {
      await tellGap(request, sink)
      await (request.last === undefined ? missed(request, from, sink) : recent(request, from, sink))
    } catch (error) {
      leave()
      throw error
    }
    // who is cut off before the first event comes goes on from here
    sink.write(`id: ${from}\n\n`)
    for (const item of waiting) sink.write(item.text)
    live = true
    sink.keepAlive(() => `id: ${d.feed.position() ?? from}\n`)
  }

  async function tellGap({ after }: StreamRequest, sink: Sink): Promise<void> {
    if (after === undefined) return
    const floor = await d.store.floor()
    if (after < floor) sink.write(`event: gap\ndata: ${JSON.stringify({ after, deleted_up_to: floor })}\n\n`)
  }

  async function missed({ filter, after = Number.POSITIVE_INFINITY }: StreamRequest, upTo: number, sink: Sink) {
    for (let place = after; place < upTo && !sink.closed(); ) {
      const rows = await d.store.read(place, upTo, PAGE, filter)
      for (const event of rows.map(eventAnswer)) if (matches(filter, event)) sink.write(feedItem(event).text)
      await sink.drained()
      place = rows.length < PAGE ? upTo : rows.at(-1)!.seq
    }
  }

  async function recent({ filter, last = 0 }: StreamRequest, upTo: number, sink: Sink) {
    const rows = last > 0 ? await d.store.last(upTo, last, filter) : []
    for (const event of rows.reverse().map(eventAnswer)) sink.write(feedItem(event).text)
  }

  return { open }
}

export type EventStream = ReturnType<typeof createEventStream>
