import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'
import { type Clock, SECOND } from '../../kernel/base/clock.ts'
import { decodeSecureCookie, encodeSecureCookie } from '../../kernel/crypto/cookies/securecookie.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { cookieValues, csrfCookieAttributes, setCookie } from '../../kernel/http/cookies.ts'

export const CONTINUITY_COOKIE = 'ory_kratos_continuity'

const MAX_AGE_SECONDS = 2_592_000

export interface ContinuityCookieDeps {
  config(): Config
  dev: boolean
  clock: Clock
  random: Random
}

/** The browser's pending work: ids by the name of the work, signed. */
export interface ContinuityCookie {
  read(req: FastifyRequest): Record<string, string>
  isSent(req: FastifyRequest): boolean
  /** @param ids all of them; what is left out is dropped */
  write(reply: FastifyReply, ids: Record<string, string>): void
}

export function continuitySecrets({ secrets }: Config): readonly string[] {
  return secrets.cookie.length > 0 ? secrets.cookie : secrets.default
}

export function createContinuityCookie(d: ContinuityCookieDeps): ContinuityCookie {
  const common = () => ({
    name: CONTINUITY_COOKIE,
    secrets: continuitySecrets(d.config()),
    pairs: true,
    now: d.clock.now(),
  })
  return {
    read(req) {
      const value = cookieValues(req, CONTINUITY_COOKIE)[0] ?? ''
      return decodeSecureCookie({ ...common(), value, maxAgeSeconds: MAX_AGE_SECONDS }) ?? {}
    },
    isSent: (req) => cookieValues(req, CONTINUITY_COOKIE).length > 0,
    write(reply, ids) {
      const value = encodeSecureCookie({ ...common(), values: ids, random: d.random })
      const { secure } = csrfCookieAttributes(d.config(), d.dev, CONTINUITY_COOKIE)
      const expires = new Date((d.clock.now() / SECOND + MAX_AGE_SECONDS) * 1000)
      const attributes = { name: CONTINUITY_COOKIE, path: '/', domain: undefined, secure, sameSite: 'Lax' as const }
      setCookie(reply, attributes, value, { maxAge: MAX_AGE_SECONDS, expires })
    },
  }
}
