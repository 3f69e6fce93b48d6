import type { FastifyReply } from 'fastify'
import { unavailable } from '../../kernel/http/errors.ts'
import type { Sink } from './stream.ts'

/** Below the 30 to 60 s after which proxies close a silent connection. */
const SIGN_OF_LIFE_MS = 15_000
/** Bytes queued for a client that does not read. */
const MAX_UNREAD = 1024 * 1024

export interface Streams {
  /** Takes over the answer from the server. @throws HttpError 503 when there are too many streams */
  open(reply: FastifyReply): Sink
  count(): number
  /** Ends all streams; clients reconnect to another node. */
  close(): void
}

/** Open streams of Server-Sent Events of this process. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function createStreams(d: { maxListeners(): number }): Streams {
  const open = new Set<{ heartbeat?: () => string; sink: Sink }>()
  let timer: NodeJS.Timeout | undefined

  function beat(): void {
    for (const { heartbeat, sink } of open) if (heartbeat) sink.write(heartbeat())
  }

  return {
    open(reply) {
      if (open.size >= d.maxListeners()) throw unavailable('Too many streams are open on this node.', undefined, 5)
      const raw = reply.raw
      const onClose: (() => void)[] = []
      let begun = false
      let closed = false
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
            if (closed) return
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
          },
          closed: () => closed || raw.writableEnded,
          onClose: (work) => void (closed ? work() : onClose.push(work)),
          keepAlive(heartbeat) {
            if (!begun) begin()
            entry.heartbeat = heartbeat
          },
        },
      }
      open.add(entry)
      timer ??= setInterval(beat, SIGN_OF_LIFE_MS).unref()
      raw.on('close', () => {
        closed = true
        open.delete(entry)
        for (const work of onClose) work()
        if (open.size > 0) return
        clearInterval(timer)
        timer = undefined
      })
      return entry.sink
    },
    count: () => open.size,
    close() {
      for (const { sink } of open) sink.end()
    },
  }
}
