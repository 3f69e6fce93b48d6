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
 * Removes everything about the session from the browser: the cookie under its present and earlier names, domains and paths,
 * the continuity cookie, and what `lethe.logout.clear_site_data` names. The answer sets a new anti-CSRF cookie, so
 * that forms opened before are refused and the next sign-in works.
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
 * Clears the cookies of a session that had ended before. Only cookies that the request carried are cleared: a form on another
 * site can cause this request, and the browser would send no cookies with it but obey the answer.
 */
export function clearDeadCookies(d: SignOutDeps, req: FastifyRequest, reply: FastifyReply): void {
  const names = d.config().lethe.cookies.previous.map(({ name }) => name)
  const sent = d.credentials.hasCookie(req) || names.some((name) => cookieValues(req, name).length > 0)
  if (sent) clearSessionCookies(d, req, reply)
}

/** Expires every cookie that may name a session, with the attributes it was set with. */
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
