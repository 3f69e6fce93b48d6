import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Clock, parseTime, SECOND } from '../../clock.ts'
import type { Config } from '../../config/schema.ts'
import { aal2Required, unauthorized } from '../../http/errors.ts'
import { queryValue } from '../../http/query.ts'
import type { RequestCredentials, SessionCredentials } from '../../http/session-credentials.ts'
import type { SessionService } from './service.ts'
import type { Tokenizer } from './tokenizer.ts'
import type { Resolved } from './types.ts'

export interface WhoamiDeps {
  sessions: SessionService
  credentials: SessionCredentials
  tokenizer: Tokenizer
  clock: Clock
  config(): Config
  /** where a browser goes to prove its second factor */
  secondFactorUrl(returnTo: string): string
}

/** Seconds a gateway may remember that a request without any credentials has no session. */
const CACHE_NOBODY_SECONDS = 60

/** Kratos answers every method alike, so gateways that forward the method of their own request work. */
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export function whoamiRoutes(d: WhoamiDeps): FastifyPluginAsync {
  return async (app) => {
    app.route({ method: METHODS, url: '/sessions/whoami', handler: whoami })
  }

  async function whoami(req: FastifyRequest, reply: FastifyReply) {
    const credentials = d.credentials.read(req)
    const resolved = await d.sessions.resolve(credentials)
    if (!resolved) throw nobody(req, reply, credentials)
    if (d.sessions.lacksSecondFactor(resolved.session))
      throw aal2Required(d.secondFactorUrl(queryValue(req, 'return_to')))
    const answer = d.sessions.answer(resolved.session)
    const template = queryValue(req, 'tokenize_as')
    const token = template === '' ? undefined : await d.tokenizer.tokenize(resolved.session, answer, template)
    renewCookie(req, reply, resolved)
    reply.header('x-kratos-authenticated-identity-id', resolved.session.identity_id)
    // A token runs out on its own: an answer that holds one is not to be kept as long as the session lasts.
    if (token !== undefined) return { ...answer, tokenized: token }
    cacheFor(reply, Math.trunc((parseTime(resolved.session.expires_at) - d.clock.now()) / SECOND))
    return answer
  }

  function nobody(req: FastifyRequest, reply: FastifyReply, credentials: RequestCredentials) {
    const { sessionToken, bearer } = credentials
    if (sessionToken === undefined && bearer === undefined && !d.credentials.hasCookie(req)) {
      cacheFor(reply, CACHE_NOBODY_SECONDS)
    }
    return unauthorized('No valid session credentials found in the request.')
  }

  /** A session that was extended elsewhere outlives its cookie unless the cookie is written anew. */
  function renewCookie(req: FastifyRequest, reply: FastifyReply, { session, token, via }: Resolved) {
    const known = { token, expiresAt: session.expires_at }
    if (via === 'cookie' && d.credentials.isOutdated(req, known)) d.credentials.write(req, reply, known)
  }

  function cacheFor(reply: FastifyReply, seconds: number) {
    const { cacheable_sessions: on, cacheable_sessions_max_age: maxMs } = d.config().feature_flags
    if (!on) return
    const limit = maxMs === undefined || maxMs === 0 ? seconds : Math.min(seconds, Math.trunc(maxMs / 1000))
    reply.header('ory-session-cache-for', String(limit))
  }
}
