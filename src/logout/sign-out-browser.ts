import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config/schema/schema.ts'
import { CONTINUITY_COOKIE } from '../flows/continuity/cookie.ts'
import { clearCookie, cookieValues, sessionCookieAttributes } from '../kernel/http/cookies.ts'
import type { Csrf } from '../kernel/http/csrf.ts'
import type { SessionCredentials } from '../sessions/http/credentials.ts'

export interface SignOutDeps {
  config(): Config
  dev: boolean
  credentials: SessionCredentials
  csrf: Csrf
}

/**
 * Leaves nothing of the session in the browser: the cookie under its present and earlier names, domains and paths, the
 * cookie of an unfinished flow, and what `lethe.logout.clear_site_data` names. A new anti-CSRF cookie goes out with it,
 * so that forms from before no longer pass and the next sign-in meets no error.
 */
export function signOutBrowser(d: SignOutDeps, req: FastifyRequest, reply: FastifyReply, cookieToo: boolean): void {
  d.csrf.renew(req, reply)
  const { logout } = d.config().lethe
  if (logout.clear_site_data.length > 0) {
    reply.header('clear-site-data', logout.clear_site_data.map((directive) => `"${directive}"`).join(', '))
  }
  if (cookieToo) clearSessionCookies(d, req, reply)
}

/**
 * For a session that was gone before. Only cookies that were sent are known to be good for nothing: other sites can have
 * this asked by a form, with which a browser sends no cookie, but of which it would obey the answer.
 */
export function clearDeadCookies(d: SignOutDeps, req: FastifyRequest, reply: FastifyReply): void {
  const names = d.config().lethe.cookies.previous.map(({ name }) => name)
  const sent = d.credentials.hasCookie(req) || names.some((name) => cookieValues(req, name).length > 0)
  if (sent) clearSessionCookies(d, req, reply)
}

/** Expires every cookie a session may have left, with the attributes it was set with. */
function clearSessionCookies(d: SignOutDeps, req: FastifyRequest, reply: FastifyReply): void {
  d.credentials.clear(req, reply)
  const current = sessionCookieAttributes(d.config(), d.dev)
  for (const { name, domain, path } of d.config().lethe.cookies.previous) {
    clearCookie(reply, { ...current, name, domain, path: path ?? '/' })
  }
  if (cookieValues(req, CONTINUITY_COOKIE).length > 0) {
    clearCookie(reply, { name: CONTINUITY_COOKIE, path: '/', domain: undefined, secure: !d.dev, sameSite: 'Lax' })
  }
}
