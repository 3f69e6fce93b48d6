import { randomBytes } from 'node:crypto'
import { formatTime, SECOND } from '../../src/kernel/base/clock.ts'
import { encodeSecureCookie } from '../../src/kernel/crypto/cookies/securecookie.ts'
import { csrfCookieName, maskCsrf, newCsrfSecret } from '../../src/kernel/crypto/csrf.ts'
import type { TestServer } from './server.ts'

type Server = Pick<TestServer, 'deps'>

/** The pair `name=value` of a session cookie, as sign-in would have set it. */
export function sessionCookie({ deps }: Server, token: string, expiresAt?: string): string {
  const { session, secrets } = deps.config()
  const now = deps.clock.now()
  const value = encodeSecureCookie({
    name: session.cookie.name,
    values: {
      session_token: token,
      expires_at: expiresAt ?? formatTime(now + 86_400 * SECOND),
      nonce: randomBytes(4).toString('hex'),
    },
    secrets: secrets.cookie.length > 0 ? secrets.cookie : secrets.default,
    now,
    random: randomBytes,
  })
  return `${session.cookie.name}=${value}`
}

/** An anti-CSRF cookie as `name=value`, and tokens that fit it. */
export function csrfPair({ deps }: Server): { cookie: string; token(): string } {
  const secret = newCsrfSecret(randomBytes)
  return { cookie: `${csrfCookieName(deps.baseUrls.public())}=${secret}`, token: () => maskCsrf(secret, randomBytes) }
}

/** Names of the cookies that an answer expires. */
export function clearedCookies(setCookie: readonly string[]): string[] {
  return setCookie.filter((line) => /;\s*max-age=0\b/i.test(line)).map((line) => line.slice(0, line.indexOf('=')))
}
