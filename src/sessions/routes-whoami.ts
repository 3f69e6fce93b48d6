import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config/schema/schema.ts'
import { type Clock, type Micros, parseTime, SECOND } from '../kernel/base/clock.ts'
import { unauthorized } from '../kernel/http/errors.ts'
import { queryValue } from '../kernel/http/query.ts'
import type { Tokenizer } from '../tokens/service.ts'
import type { SessionCredentials } from './http/credentials.ts'
import { missingProof } from './http/require-session.ts'
import { toSession } from './row.ts'
import { lastEndOf, noting } from './rules.ts'
import type { SessionService } from './service.ts'
import type { Checked, Credentials, SessionRow } from './types.ts'

export interface WhoamiDeps {
  sessions: SessionService
  credentials: SessionCredentials
  tokenizer: Tokenizer
  clock: Clock
  config(): Config
  /** where a browser goes to prove its second factor */
  secondFactorUrl(returnTo: string): string
  /** where it signs in again */
  freshProofUrl(returnTo: string): string
}

/** Seconds that a gateway may cache the answer to a request without any credentials. */
const CACHE_ANONYMOUS_SECONDS = 60

/** Kratos answers every method alike, so that gateways may forward the method of their own request. */
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** It changes nothing. Kratos sends cache headers with GET only, as recorded; caches keep no other answer by default. */
const WHOAMI = { csrf: 'exempt', cacheHeaders: 'get-only' } as const

export function whoamiRoutes(d: WhoamiDeps): FastifyPluginAsync {
  return async (app) => {
    app.route({ method: METHODS, url: '/sessions/whoami', config: WHOAMI, handler: whoami })
  }

  async function whoami(req: FastifyRequest, reply: FastifyReply) {
    const credentials = d.credentials.read(req)
    const checked = await d.sessions.check(credentials)
    if (!checked) throw notSignedIn(req, reply, credentials)
    const { session } = checked
    const missing = missingProof(d, session, queryValue(req, 'return_to'))
    if (missing) throw missing.error
    const template = queryValue(req, 'tokenize_as')
    const tokenized = template === '' ? undefined : await withToken(session, template)
    renewCookie(req, reply, checked)
    reply.header('x-kratos-authenticated-identity-id', session.identity_id)
    // A token expires by itself: its answer must not be cached as long as the session lasts.
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

  function notSignedIn(req: FastifyRequest, reply: FastifyReply, credentials: Credentials) {
    const { sessionToken, bearer } = credentials
    if (sessionToken === undefined && bearer === undefined && !d.credentials.hasCookie(req)) {
      cacheFor(reply, () => CACHE_ANONYMOUS_SECONDS)
    }
    return unauthorized('No valid session credentials found in the request.')
  }

  /** How long a gateway may cache a session: uses that this server does not see cannot keep it alive. */
  function unnoted(session: SessionRow): Micros {
    const { idle } = d.sessions.ruleOf(session)
    return idle === undefined ? Number.POSITIVE_INFINITY : noting({ idle }).every
  }

  function left(session: SessionRow): Micros {
    return parseTime(session.expires_at) - d.clock.now()
  }

  /** A session that was extended elsewhere outlives its cookie unless the cookie is set again. */
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
