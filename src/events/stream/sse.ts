import type { FastifyReply } from 'fastify'
import { badRequest, tooManyStreams, unavailable } from '../../kernel/http/errors.ts'
import type { Sink } from './stream.ts'

/** Below the 30 to 60 s after which proxies close a silent connection. */
const SIGN_OF_LIFE_MS = 15_000
/** Bytes queued for a client that does not read. */
const MAX_UNREAD = 1024 * 1024

export interface StreamLimits {
  readonly max_listeners: number
  readonly max_listeners_per_identity: number
}

export interface Streams {
  /**
   * Takes over the answer from the server.
   * @param identityId whose session asks; undefined on the admin port
   * @throws HttpError 503 when there are too many streams, 429 when the identity has too many of them, 400 for one that waits
   *   behind another answer of its connection
   */
  open(reply: FastifyReply, identityId?: string): Sink
  /**
   * Opens a stream for `work`. If that fails, what has begun is ended, so that the client comes again; otherwise the error can
   * still be answered.
   */
  serve(reply: FastifyReply, work: (sink: Sink) => Promise<void>, identityId?: string): Promise<void>
  count(): number
  /** Ends all streams; clients reconnect to another node. */
  close(): void
}

/** Open streams of Server-Sent Events of this process. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function createStreams(limits: () => StreamLimits): Streams {
  const open = new Set<{ heartbeat?: () => string; sink: Sink }>()
  const perIdentity = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  function beat(): void {
    for (const { heartbeat, sink } of open) if (heartbeat) sink.write(heartbeat())
  }

  function count(identityId: string | undefined, more: 1 | -1): void {
    if (identityId === undefined) return
    const left = (perIdentity.get(identityId) ?? 0) + more
    if (left === 0) perIdentity.delete(identityId)
    else perIdentity.set(identityId, left)
  }

  const streams: Streams = {
    open(reply, identityId) {
      const { max_listeners, max_listeners_per_identity } = limits()
      if (open.size >= max_listeners) throw unavailable('Too many streams are open on this node.', undefined, 5)
      if (identityId !== undefined && (perIdentity.get(identityId) ?? 0) >= max_listeners_per_identity)
        throw tooManyStreams()
      const raw = reply.raw
      // Node says nothing to an answer in the queue when its connection closes: the stream would count for ever.
      if (raw.socket === null && !raw.destroyed) {
        throw badRequest('A stream needs a connection of its own: ask when the answer before it is complete.')
      }
      const onEnd: (() => void)[] = []
      const over = () => {
        for (const work of onEnd.splice(0)) work()
      }
      let begun = false
      // a caller that has left while its session was looked up: `close` was before
      let closed = raw.destroyed
      const begin = () => {
        begun = true
        reply.hijack()
        raw.writeHead(200, {
          ...(reply.getHeaders() as Record<string, string>),
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          // an ended stream must not leave a connection open that a stopping server waits for
          connection: 'close',
          // nginx would hold events back until its buffer is full
          'x-accel-buffering': 'no',
        })
        raw.write('retry: 1000\n\n')
      }
      const entry: { heartbeat?: () => string; sink: Sink } = {
        sink: {
          write(text) {
            // after the end too: while the client has not read everything there is no `close` yet, and an `error`
            // of such a write, which has no listener, would stop the process
            if (entry.sink.closed()) return
            if (!begun) begin()
            raw.write(text)
            if (raw.writableLength > MAX_UNREAD) raw.destroy()
          },
          async drained() {
            while (!closed && raw.writableNeedDrain) {
              await new Promise<void>((resolve) => {
                const done = () => {
                  raw.off('drain', done).off('close', done)
                  resolve()
                }
                raw.on('drain', done).on('close', done)
              })
            }
          },
          end() {
            if (closed) return
            if (!begun) begin()
            raw.end()
            // `close` comes when the client has read everything, which one that reads no more never does
            over()
          },
          closed: () => closed || raw.writableEnded,
          onEnd: (work) => void (entry.sink.closed() ? work() : onEnd.push(work)),
          keepAlive(heartbeat) {
            if (!begun) begin()
            entry.heartbeat = heartbeat
          },
        },
      }
      if (closed) return entry.sink
      open.add(entry)
      count(identityId, 1)
      timer ??= setInterval(beat, SIGN_OF_LIFE_MS).unref()
      raw.on('close', () => {
        closed = true
        open.delete(entry)
        count(identityId, -1)
        over()
        if (open.size > 0) return
        clearInterval(timer)
        timer = undefined
      })
      return entry.sink
    },
    async serve(reply, work, identityId) {
      const sink = streams.open(reply, identityId)
      try {
        await work(sink)
      } catch (error) {
        if (reply.sent) sink.end()
        throw error
      }
    },
    count: () => open.size,
    close() {
      for (const { sink } of open) sink.end()
    },
  }
  return streams
}
