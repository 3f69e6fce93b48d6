import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config/schema/schema.ts'
import { type Clock, type Micros, parseTime, SECOND } from '../kernel/base/clock.ts'
import { unauthorized } from '../kernel/http/errors.ts'
import { queryValue } from '../kernel/http/query.ts'
import type { Tokenizer } from '../tokens/service.ts'
import type { RequestCredentials, SessionCredentials } from './http/credentials.ts'
import { missingProof } from './http/require-session.ts'
import { toSession } from './row.ts'
import { lastEndOf, noting } from './rules.ts'
import type { SessionService } from './service.ts'
import type { Checked, SessionRow } from './types.ts'

export interface WhoamiDeps {
  sessions: SessionService
  credentials: SessionCredentials
  tokenizer: Tokenizer
  clock: Clock
  config(): Config
  /** where a browser goes to prove its second factor */
  secondFactorUrl(returnTo: string): string
  /** where it signs in anew */
  freshProofUrl(returnTo: string): string
}

/** Seconds a gateway may remember that a request without any credentials has no session. */
const CACHE_NOBODY_SECONDS = 60

/** Kratos answers every method alike, so gateways that forward the method of their own request work. */
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** It changes nothing. Kratos says nothing of caches to its other methods, as recorded; no cache keeps their answers unless it is told to. */
const WHOAMI = { csrf: 'exempt', cacheHeaders: 'get-only' } as const

export function whoamiRoutes(d: WhoamiDeps): FastifyPluginAsync {
  return async (app) => {
    app.route({ method: METHODS, url: '/sessions/whoami', config: WHOAMI, handler: whoami })
  }

  async function whoami(req: FastifyRequest, reply: FastifyReply) {
    const credentials = d.credentials.read(req)
    const checked = await d.sessions.check(credentials)
    if (!checked) throw nobody(req, reply, credentials)
    const { session } = checked
    const missing = missingProof(d, session, queryValue(req, 'return_to'))
    if (missing) throw missing.error
    const template = queryValue(req, 'tokenize_as')
    const tokenized = template === '' ? undefined : await withToken(session, template)
    renewCookie(req, reply, checked)
    reply.header('x-kratos-authenticated-identity-id', session.identity_id)
    // A token runs out on its own: an answer that holds one is not to be kept as long as the session lasts.
    if (tokenized !== undefined) return tokenized
    cacheFor(reply, () => Math.trunc(Math.min(left(session), unnoted(session)) / SECOND))
    return reply.header('content-type', 'application/json; charset=utf-8').send(d.sessions.answerText(session))
  }

  async function withToken(row: SessionRow, template: string) {
    const session = toSession(row)
    const answer = d.sessions.answer(session)
    const { idle, absolute } = d.sessions.ruleOf(session)
    const until = (idle ?? absolute) === undefined ? undefined : parseTime(session.expires_at)
    return { ...answer, tokenized: await d.tokenizer.tokenize(session, answer, template, until) }
  }

  function nobody(req: FastifyRequest, reply: FastifyReply, credentials: RequestCredentials) {
    const { sessionToken, bearer } = credentials
    if (sessionToken === undefined && bearer === undefined && !d.credentials.hasCookie(req)) {
      cacheFor(reply, () => CACHE_NOBODY_SECONDS)
    }
    return unauthorized('No valid session credentials found in the request.')
  }

  /** How long a gateway may answer for the session itself: uses that nobody is told of do not keep it alive. */
  function unnoted(session: SessionRow): Micros {
    const { idle } = d.sessions.ruleOf(session)
    return idle === undefined ? Number.POSITIVE_INFINITY : noting({ idle }).every
  }

  function left(session: SessionRow): Micros {
    return parseTime(session.expires_at) - d.clock.now()
  }

  /** A session that was extended elsewhere outlives its cookie unless the cookie is written anew. */
  function renewCookie(req: FastifyRequest, reply: FastifyReply, { session, token, via }: Checked) {
    const known = { token, expiresAt: lastEndOf(session) }
    if (via === 'cookie' && d.credentials.isOutdated(req, known)) d.credentials.write(req, reply, known)
  }

  function cacheFor(reply: FastifyReply, seconds: () => number) {
    const { cacheable_sessions: on, cacheable_sessions_max_age: maxMs } = d.config().feature_flags
    if (!on) return
    const limit = maxMs === undefined || maxMs === 0 ? seconds() : Math.min(seconds(), Math.trunc(maxMs / 1000))
    reply.header('ory-session-cache-for', String(limit))
  }
}
