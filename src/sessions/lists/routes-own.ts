import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { offsetLinks, parseOffsetPage } from '../../kernel/http/lists/pagination.ts'
import { splitUrl } from '../../kernel/http/not-found.ts'
import { pathUuid } from '../../kernel/http/path.ts'
import type { RequireSession } from '../http/require-session.ts'
import type { Resolved } from '../types.ts'
import { noSession, type OwnSessions } from './own-sessions.ts'

export interface OwnSessionRouteDeps {
  requireSession: RequireSession
  ownSessions: OwnSessions
}

/** Forms of other sites cannot send DELETE, and CORS keeps their scripts from it. */
const EXEMPT = { csrf: 'exempt' } as const

/** Lists and ends the other sessions of the signed-in identity. @see Kratos listMySessions, disableMySession */
export function ownSessionRoutes(d: OwnSessionRouteDeps): FastifyPluginAsync {
  const own = (aal: 'any' | 'configured', handler: Parameters<RequireSession>[1]) =>
    d.requireSession({ otherwise, aal }, handler)

  return async (app) => {
    app.get('/sessions', { config: EXEMPT }, own('configured', list))
    // An owner who has lost the second factor must be able to end a thief's sessions.
    app.delete('/sessions', { config: EXEMPT }, own('any', revokeOthers))
    app.delete('/sessions/:id', { config: EXEMPT }, own('any', revokeOther))
  }

  function otherwise(): never {
    throw noSession()
  }

  async function list(req: FastifyRequest, reply: FastifyReply, { session }: Resolved) {
    const [path, rawQuery] = splitUrl(req.url)
    const query = new URLSearchParams(rawQuery)
    const page = parseOffsetPage(query)
    const { total, size, sessions } = await d.ownSessions.others(session, page)
    reply.headers({ 'x-total-count': String(total), link: offsetLinks(path, query, { ...page, size }, total) })
    return sessions
  }

  async function revokeOthers(_req: FastifyRequest, _reply: FastifyReply, { session }: Resolved) {
    return { count: await d.ownSessions.revokeOthers(session) }
  }

  async function revokeOther(req: FastifyRequest, reply: FastifyReply, { session }: Resolved) {
    await d.ownSessions.revokeOther(session, pathUuid(req, 'id'))
    return reply.code(204).header('content-type', 'application/json; charset=utf-8').send()
  }
}
