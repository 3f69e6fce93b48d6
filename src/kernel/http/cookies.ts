import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'
import { goBoolean } from '../base/go-boolean.ts'

export type SameSite = 'Strict' | 'Lax' | 'None'

/** The attributes that identify a cookie: it is cleared with the ones it was set with. */
export interface CookieAttributes {
  name: string
  path: string
  domain: string | undefined
  secure: boolean
  sameSite: SameSite
}

/** `"true"`/`"false"` as Go reads booleans; anything else is false. Unset: secure, unless in development mode. */
function secureFlag(value: string | undefined, dev: boolean): boolean {
  return value === undefined ? !dev : goBoolean(value) === true
}

export function sessionCookieAttributes(config: Config, dev: boolean): CookieAttributes {
  const { cookie } = config.session
  return {
    name: cookie.name,
    path: cookie.path ?? config.cookies.path,
    domain: cookie.domain ?? config.cookies.domain,
    secure: secureFlag(cookie.secure, dev),
    sameSite: cookie.same_site ?? config.cookies.same_site,
  }
}

export function csrfCookieAttributes(config: Config, dev: boolean, name: string): CookieAttributes {
  const secure = secureFlag(config.cookies.secure, dev)
  return {
    name,
    path: config.cookies.path,
    domain: config.cookies.domain,
    secure,
    // Browsers drop a SameSite=None cookie that is not Secure, and Kratos falls back to Lax.
    sameSite: secure ? config.cookies.same_site : 'Lax',
  }
}

export const KNOWN_BROWSER_COOKIE = 'lethe_known_browser'

/** Sent to the login paths only. @param publicUrl of this server */
export function knownBrowserCookieAttributes(config: Config, dev: boolean, publicUrl: string): CookieAttributes {
  const path = `${new URL(publicUrl).pathname.replace(/\/$/, '')}/self-service/login`
  return { ...csrfCookieAttributes(config, dev, KNOWN_BROWSER_COOKIE), domain: undefined, path }
}

/** @param expiry seconds until the browser drops it, and that moment; absent for a cookie of the browser session */
export function setCookie(
  reply: FastifyReply,
  attributes: CookieAttributes,
  value: string,
  expiry: { maxAge?: number; expires?: Date } = {},
): void {
  const { name, path, domain, secure, sameSite } = attributes
  reply.setCookie(name, value, {
    path,
    ...(domain === undefined || domain === '' ? {} : { domain }),
    ...expiry,
    httpOnly: true,
    secure,
    sameSite: sameSite.toLowerCase() as 'strict' | 'lax' | 'none',
    encode: (raw) => raw,
  })
}

export function clearCookie(reply: FastifyReply, attributes: CookieAttributes): void {
  setCookie(reply, attributes, '', { maxAge: 0, expires: new Date(1000) })
}

/**
 * All values of one cookie name in header order, without surrounding quotes. A browser may send several (one for each
 * domain or path), and the parsed `req.cookies` keeps one of them only.
 */
export function cookieValues(req: FastifyRequest, name: string): string[] {
  const header = req.headers.cookie
  if (header === undefined || !header.includes(name)) return []
  return header.split(';').flatMap((pair) => {
    const at = pair.indexOf('=')
    if (at < 0 || pair.slice(0, at).trim() !== name) return []
    return [
      pair
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1'),
    ]
  })
}
