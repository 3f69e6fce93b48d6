import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { noActiveSession } from '../../kernel/http/errors.ts'
import type { SessionCredentials } from '../../sessions/http/credentials.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { OwnSessionStream } from './own-session-stream.ts'
import type { Streams } from './sse.ts'

export interface EventOwnRouteDeps {
  sessions: Pick<SessionService, 'resolve'>
  credentials: SessionCredentials
  ownSessionStream: OwnSessionStream
  streams: Streams
}

/** Tells whoever holds a session when it ends, so that an open page or socket can close itself. */
export function ownEventRoutes(d: EventOwnRouteDeps): FastifyPluginAsync {
  return async (app) => {
    app.get('/sessions/events', { exposeHeadRoute: false, config: { csrf: 'exempt' } }, stream)
    app.addHook('preClose', async () => d.streams.close())
  }

  async function stream(req: FastifyRequest, reply: FastifyReply) {
    const credentials = d.credentials.read(req)
    const resolved = await d.sessions.resolve(credentials)
    if (!resolved) throw noActiveSession()
    await d.ownSessionStream.open(credentials, resolved.session, d.streams.open(reply))
    return reply
  }
}
