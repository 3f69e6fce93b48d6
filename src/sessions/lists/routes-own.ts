import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { aal2Required, badRequest, notFound } from '../../kernel/http/errors.ts'
import { offsetLinks, parseOffsetPage } from '../../kernel/http/lists/pagination.ts'
import { splitUrl } from '../../kernel/http/not-found.ts'
import { pathUuid } from '../../kernel/http/path.ts'
import { queryValue } from '../../kernel/http/query.ts'
import type { SessionCredentials } from '../http/credentials.ts'
import type { SessionService } from '../service.ts'
import type { Session } from '../types.ts'
import { noSession, type OwnSessions } from './own-sessions.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** the session of the request, on routes that need one; null elsewhere */
    ownSession: Session | null
  }
}

export interface OwnSessionRouteDeps {
  sessions: Pick<SessionService, 'resolve' | 'lacksSecondFactor'>
  ownSessions: OwnSessions
  credentials: SessionCredentials
  /** where a browser goes to prove its second factor */
  secondFactorUrl(returnTo: string): string
}

/** Other sites' forms cannot send DELETE, and their scripts are held off by CORS. */
const EXEMPT = { csrf: 'exempt' } as const

/** Lists and ends the other sessions of the signed-in identity. @see Kratos listMySessions, disableMySession */
export function ownSessionRoutes(d: OwnSessionRouteDeps): FastifyPluginAsync {
  return async (app) => {
    app.get('/sessions/token-exchange', { config: EXEMPT }, exchange)
    app.register(guarded)
  }

  async function guarded(app: FastifyInstance) {
    app.decorateRequest('ownSession', null)
    app.addHook('preHandler', async (req) => {
      req.ownSession = await requireSession(req)
    })
    app.get('/sessions', { config: EXEMPT }, list)
    app.delete('/sessions', { config: EXEMPT }, revokeOthers)
    app.delete('/sessions/:id', { config: EXEMPT }, revokeOther)
  }

  async function requireSession(req: FastifyRequest): Promise<Session> {
    const resolved = await d.sessions.resolve(d.credentials.read(req))
    if (!resolved) throw noSession()
    if (d.sessions.lacksSecondFactor(resolved.session))
      throw aal2Required(d.secondFactorUrl(queryValue(req, 'return_to')))
    return resolved.session
  }

  async function list(req: FastifyRequest, reply: FastifyReply) {
    const [path, rawQuery] = splitUrl(req.url)
    const query = new URLSearchParams(rawQuery)
    const page = parseOffsetPage(query)
    const { total, size, sessions } = await d.ownSessions.others(own(req), page)
    reply.headers({ 'x-total-count': String(total), link: offsetLinks(path, query, { ...page, size }, total) })
    return sessions
  }

  async function revokeOthers(req: FastifyRequest) {
    return { count: await d.ownSessions.revokeOthers(own(req)) }
  }

  async function revokeOther(req: FastifyRequest, reply: FastifyReply) {
    await d.ownSessions.revokeOther(own(req), pathUuid(req, 'id'))
    return reply.code(204).header('content-type', 'application/json; charset=utf-8').send()
  }

  /** Codes are only given out by sign-in at a third party, which does not exist here: none can be known. */
  async function exchange(req: FastifyRequest) {
    if (queryValue(req, 'init_code') === '' || queryValue(req, 'return_to_code') === '') {
      throw badRequest('"init_code" and "return_to_code" query params must be set')
    }
    throw notFound('no session yet for this "code"')
  }
}

function own(req: FastifyRequest): Session {
  if (req.ownSession === null) throw new Error('a route for signed-in identities stands outside its guard')
  return req.ownSession
}
