import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'
import { csrfCookieName, isCsrfCookieValue, maskCsrf, newCsrfSecret, verifyCsrf } from '../crypto/csrf.ts'
import type { Random } from '../crypto/tokens.ts'
import { expireTwins } from './cookies/twins.ts'
import { cookieValues, csrfCookieAttributes, setCookie } from './cookies.ts'
import { HttpError } from './errors.ts'
import { mediaType } from './negotiate.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** the anti-CSRF cookie value that the browser has after this answer; undefined while it has none */
    csrfSecret: string | undefined
  }
}

const YEAR_SECONDS = 31_536_000

export interface CsrfDeps {
  config(): Config
  dev: boolean
  /** exactly as configured: the name of the cookie is a hash of it */
  publicBaseUrl(): string
  random: Random
}

/** The anti-CSRF cookie and the tokens bound to it, as in Kratos. @see cookie and token layout in crypto/csrf.ts */
export interface Csrf {
  /** Sets a cookie when the browser has no usable one. */
  ensure(req: FastifyRequest, reply: FastifyReply): void
  /** Sets a new cookie, whatever the browser had: after another identity signs in, and after logout. */
  renew(req: FastifyRequest, reply: FastifyReply): void
  /** A newly masked token for a form; empty for a browser without the cookie, on routes that hand out none. */
  token(req: FastifyRequest): string
  /** Whether `token` fits the cookie of the request. */
  matches(req: FastifyRequest, token: string, options?: { maskedOnly?: boolean }): boolean
  /** @throws 403 `security_csrf_violation` unless `token` fits the cookie of the request */
  check(req: FastifyRequest, token: string, options?: { maskedOnly?: boolean }): void
  /** The 403 of this request, with what was missing. */
  violation(req: FastifyRequest, tokenSent: boolean): HttpError
}

export function createCsrf(d: CsrfDeps): Csrf {
  const cookieName = () => csrfCookieName(d.publicBaseUrl())

  function cookieOf(req: FastifyRequest): string | undefined {
    const values = cookieValues(req, cookieName())
    // With two cookies of the name neither can be trusted: an attacker on a sibling domain can plant one.
    return values.length === 1 && isCsrfCookieValue(values[0]!) ? values[0] : undefined
  }

  function write(req: FastifyRequest, reply: FastifyReply): void {
    const secret = newCsrfSecret(d.random)
    req.csrfSecret = secret
    const attributes = csrfCookieAttributes(d.config(), d.dev, cookieName())
    // A request with twins is refused, as in Kratos; the answer leaves one cookie, so that the next request passes.
    if (cookieOf(req) === undefined && cookieValues(req, attributes.name).length > 0)
      expireTwins(req, reply, attributes, new URL(d.publicBaseUrl(), 'http://localhost'))
    setCookie(reply, attributes, secret, { maxAge: YEAR_SECONDS })
  }

  const csrf: Csrf = {
    ensure(req, reply) {
      const known = cookieOf(req)
      if (known === undefined) write(req, reply)
      else req.csrfSecret = known
    },
    renew: write,
    token(req) {
      const secret = req.csrfSecret ?? cookieOf(req)
      return secret === undefined ? '' : maskCsrf(secret, d.random)
    },
    matches(req, token, options) {
      const cookie = cookieOf(req)
      return cookie !== undefined && token !== '' && verifyCsrf(cookie, token, options)
    },
    check(req, token, options) {
      if (!csrf.matches(req, token, options)) throw csrf.violation(req, token !== '')
    },
    violation(req, tokenSent) {
      return csrfViolation(rejectReason(req, cookieName(), tokenSent), isAjax(req))
    },
  }
  return csrf
}

function isAjax(req: FastifyRequest): boolean {
  return ['cors', 'same-origin'].includes(String(req.headers['sec-fetch-mode'] ?? ''))
}

type RejectReason = 'no-cookies' | 'cookie-missing' | 'token-missing' | 'mismatch'

function rejectReason(req: FastifyRequest, cookieName: string, tokenSent: boolean): RejectReason {
  if ((req.headers.cookie ?? '') === '') return 'no-cookies'
  if (cookieValues(req, cookieName).length === 0) return 'cookie-missing'
  // The body of a JSON request is not read here, so a missing token cannot be told from a wrong one.
  return !tokenSent && mediaType(req) !== 'application/json' ? 'token-missing' : 'mismatch'
}

const REASONS: Record<Exclude<RejectReason, 'token-missing'>, string> = {
  'no-cookies': 'The HTTP Cookie Header is empty or not set.',
  'cookie-missing': 'The HTTP Cookie Header was set but did not include the anti-CSRF cookie.',
  mismatch:
    'The HTTP Cookie Header was set and a CSRF token was sent but they do not match. We recommend deleting all cookies for this domain and retrying the flow.',
}

const HINTS = {
  token:
    'The anti-CSRF cookie was found but the CSRF token was not included in the HTTP request body (csrf_token) nor in the HTTP Header (X-CSRF-Token).',
  ajax: "We detected an AJAX call, please ensure that CORS is enabled and configured correctly, and that your AJAX code sends cookies and has credentials enabled. For further debugging, check your Browser's Network Tab to see what cookies are included or excluded.",
  server:
    "We detected a regular browser or server-side call. To debug browser calls check your Browser's Network Tab to see what cookies are included or excluded. If you are calling from a server ensure that the appropriate cookies are being forwarded and that the SDK method is called correctly.",
}

function csrfViolation(reason: RejectReason, ajax: boolean): HttpError {
  const details =
    reason === 'token-missing'
      ? { hint: HINTS.token }
      : { hint: ajax ? HINTS.ajax : HINTS.server, reject_reason: REASONS[reason] }
  return new HttpError(403, 'the request was rejected to protect you from Cross-Site-Request-Forgery', {
    id: 'security_csrf_violation',
    reason:
      'Please retry the flow and optionally clear your cookies. The request was rejected to protect you from Cross-Site-Request-Forgery (CSRF) which could cause account takeover, leaking personal information, and other serious security issues.',
    details: { docs: 'https://www.ory.sh/kratos/docs/debug/csrf', ...details },
  })
}
