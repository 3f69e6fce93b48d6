import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { link } from '../../kernel/http/lists/pagination.ts'
import { splitUrl } from '../../kernel/http/not-found.ts'
import type { EventStatus } from '../receivers/status.ts'
import type { Streams } from '../stream/sse.ts'
import type { EventStream } from '../stream/stream.ts'
import { MAX_SIZE, readFilter, readInteger, readListQuery, readPosition } from './list-query.ts'
import type { EventLog } from './log.ts'
import { type Position, parsePosition } from './position.ts'

export interface EventAdminRouteDeps {
  eventLog: EventLog
  eventStatus(): Promise<EventStatus>
  eventStream: EventStream
  streams: Streams
}

/** The log of events, for operators: as pages and as a stream. The prefix /admin is taken off before routing. */
export function eventAdminRoutes(d: EventAdminRouteDeps): FastifyPluginAsync {
  return async (app) => {
    app.get('/events', list)
    app.get('/events/status', () => d.eventStatus())
    app.get('/events/stream', { exposeHeadRoute: false }, stream)
    app.addHook('preClose', async () => d.streams.close())
  }

  async function list(req: FastifyRequest, reply: FastifyReply) {
    const query = queryOf(req)
    const page = readListQuery(query)
    const { events, next } = await d.eventLog.list(page)
    if (next !== undefined) {
      const params = { page_size: String(page.size), page_token: next }
      reply.header('link', link('next', '/admin/events', query, params))
    }
    return events
  }

  async function stream(req: FastifyRequest, reply: FastifyReply) {
    const query = queryOf(req)
    const goesOn = lastEventId(req)
    const after = readPosition(query, 'after')
    const last = readInteger(query, 'last', 0, MAX_SIZE)
    const filter = readFilter(query)
    // a browser that connects again sends both: what its address asked for at first must not skip what it has missed
    const from = goesOn === undefined ? { after, last } : { after: goesOn, last: undefined }
    await d.streams.serve(reply, (sink) => d.eventStream.open({ filter, ...from }, sink))
    return reply
  }
}

/** The last event that a reconnecting client has seen. @throws HttpError 400 */
function lastEventId(req: FastifyRequest): Position | undefined {
  const text = req.headers['last-event-id']
  return text === undefined || text === '' ? undefined : parsePosition(String(text), 'Last-Event-ID')
}

function queryOf(req: FastifyRequest): URLSearchParams {
  return new URLSearchParams(splitUrl(req.url)[1])
}
