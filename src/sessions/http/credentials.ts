import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'
import { type Clock, type Micros, parseTime, SECOND, type Timestamp } from '../../kernel/base/clock.ts'
import { BROWSER_SESSION_MAX_AGE_SECONDS, encodeSecureCookie } from '../../kernel/crypto/cookies/securecookie.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { expireTwins, hasTwins } from '../../kernel/http/cookies/twins.ts'
import { clearCookie, cookieValues, sessionCookieAttributes, setCookie } from '../../kernel/http/cookies.ts'
import type { Credentials } from '../types.ts'
import type { CookieCache } from './cookie-cache.ts'

export interface SessionCredentialsDeps {
  config(): Config
  dev: boolean
  clock: Clock
  random: Random
  cookies: CookieCache
  publicBaseUrl(): string
}

/** The session cookie as Kratos writes and reads it, and the two headers. */
export interface SessionCredentials {
  read(req: FastifyRequest): Credentials
  /** Whether the request came with a cookie of the session's name, readable or not. */
  hasCookie(req: FastifyRequest): boolean
  /** Whether the session's cookie has an earlier expiry than the session, so that it must be set again. */
  isOutdated(req: FastifyRequest, session: { token: string; expiresAt: Timestamp }): boolean
  write(req: FastifyRequest, reply: FastifyReply, session: { token: string; expiresAt: Timestamp }): void
  /** Expires the cookie, and its twins if several were sent. */
  clear(req: FastifyRequest, reply: FastifyReply): void
  /** Expires all but the one that is being set. Not for a request that proves nothing: the others may be meant. */
  leaveNoTwins(req: FastifyRequest, reply: FastifyReply): void
}

type SessionCookie = Readonly<Record<string, string>>
const DECODED = Symbol('decoded session cookies')

export function createSessionCredentials(d: SessionCredentialsDeps): SessionCredentials {
  const name = () => d.config().session.cookie.name
  /** An empty list means the default secrets, as in Kratos. The cookie cache is bound to the identity of the array. */
  function secrets(): readonly string[] {
    const { cookie, default: general } = d.config().secrets
    return cookie.length > 0 ? cookie : general
  }

  function maxAgeSeconds(): number {
    const { cookie, lifespan } = d.config().session
    return cookie.persistent ? Math.trunc(lifespan / 1000) : BROWSER_SESSION_MAX_AGE_SECONDS
  }

  /** Cached with the request: it is often read twice. */
  function decoded(req: FastifyRequest & { [DECODED]?: SessionCookie[] }): SessionCookie[] {
    req[DECODED] ??= decode(req)
    return req[DECODED]
  }

  function decode(req: FastifyRequest): SessionCookie[] {
    const options = { name: name(), secrets: secrets(), now: d.clock.now(), maxAgeSeconds: maxAgeSeconds() }
    return cookieValues(req, options.name).flatMap((value) => {
      const values = d.cookies.decode({ ...options, value })
      return values === undefined ? [] : [values]
    })
  }

  const attributes = () => sessionCookieAttributes(d.config(), d.dev)

  function leaveNoTwins(req: FastifyRequest, reply: FastifyReply): void {
    if (hasTwins(req, name())) expireTwins(req, reply, attributes(), new URL(d.publicBaseUrl(), 'http://localhost'))
  }

  return {
    read(req) {
      return {
        sessionToken: headerText(req.headers['x-session-token']),
        cookieTokens: tokensOf(decoded(req)),
        bearer: bearerToken(req.headers.authorization),
      }
    },
    hasCookie: (req) => cookieValues(req, name()).length > 0,
    isOutdated(req, { token, expiresAt }) {
      const values = decoded(req).find((cookie) => cookie.session_token === token)
      if (values === undefined) return false
      const known = parseTime(values.expires_at ?? '')
      return !(known >= parseTime(expiresAt))
    },
    write(req, reply, session) {
      const now = d.clock.now()
      // Members of another version are kept, as in Kratos.
      const cookies = decoded(req)
      const kept = cookies.find((cookie) => cookie.session_token === session.token) ?? cookies[0] ?? {}
      const values = { ...kept, session_token: session.token, expires_at: session.expiresAt, nonce: nonce(d.random) }
      const value = encodeSecureCookie({ name: name(), values, secrets: secrets(), now, random: d.random })
      setCookie(reply, attributes(), value, expiry(d.config(), session.expiresAt, now))
    },
    clear(req, reply) {
      leaveNoTwins(req, reply)
      clearCookie(reply, attributes())
    },
    leaveNoTwins,
  }
}

/**
 * As many authentic ones as fit into a header of 64 kB: a logout ends the sessions of all, so none may be hidden behind
 * planted ones. They are looked up together.
 */
const MAX_COOKIES = 256

function tokensOf(cookies: readonly SessionCookie[]): string[] {
  const tokens = cookies.flatMap(({ session_token }) => (session_token ? [session_token] : []))
  return [...new Set(tokens)].slice(0, MAX_COOKIES)
}

function expiry(config: Config, expiresAt: Timestamp, now: Micros): { maxAge?: number; expires?: Date } {
  const end = parseTime(expiresAt)
  const maxAge = Math.trunc((end - now) / SECOND)
  if (!config.session.cookie.persistent || maxAge <= 0) return {}
  return { maxAge, expires: new Date(end / 1000) }
}

function nonce(random: Random): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return [...random(8)].map((byte) => letters[byte & 63]).join('')
}

function headerText(value: string | string[] | undefined): string | undefined {
  const text = Array.isArray(value) ? value[0] : value
  return text === undefined || text === '' ? undefined : text
}

/** Scheme in any case, exactly one space. */
function bearerToken(header: string | undefined): string | undefined {
  return /^bearer ([^ ]+)$/i.exec(header ?? '')?.[1]
}
