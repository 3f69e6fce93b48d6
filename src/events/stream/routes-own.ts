import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { noActiveSession } from '../../kernel/http/errors.ts'
import type { SessionCredentials } from '../../sessions/http/credentials.ts'
import type { RequireSession } from '../../sessions/http/require-session.ts'
import type { Resolved } from '../../sessions/types.ts'
import type { OwnSessionStream } from './own-session-stream.ts'
import type { Streams } from './sse.ts'
import type { Sink } from './stream.ts'

export interface EventOwnRouteDeps {
  requireSession: RequireSession
  credentials: SessionCredentials
  ownSessionStream: OwnSessionStream
  streams: Streams
}

/** Tells the holder of a session when it ends, so that an open page or socket can close itself. */
export function ownEventRoutes(d: EventOwnRouteDeps): FastifyPluginAsync {
  const own = (handler: Parameters<RequireSession>[1]) => d.requireSession({ otherwise, aal: 'any' }, handler)

  return async (app) => {
    app.get('/sessions/events', { exposeHeadRoute: false, config: { csrf: 'exempt' } }, own(stream))
    app.addHook('preClose', async () => d.streams.close())
  }

  function otherwise(): never {
    throw noActiveSession()
  }

  async function stream(req: FastifyRequest, reply: FastifyReply, { session }: Resolved) {
    const open = (sink: Sink) => d.ownSessionStream.open(d.credentials.read(req), session, sink)
    await d.streams.serve(reply, open, session.identity_id)
    return reply
  }
}
