import { steadyClock } from '../kernel/base/clock.ts'
import { createEnded } from './ended.ts'
import { TokenRejected } from './errors.ts'
import { follow } from './follow.ts'
import { type Jwk, parseToken } from './jws.ts'
import { createKeySet } from './keys.ts'

export { type RejectionCode, TokenRejected } from './errors.ts'
export type { Jwk } from './jws.ts'

export interface VerifierOptions {
  /** the public keys: where they are (JSON of RFC 7517), or the set itself */
  jwks: string | URL | { keys: readonly Jwk[] }
  /** `http://…:4434/admin/sessions/revocations`, or `/sessions/revocations` of the public port where it is served there */
  revocations: string | URL
  /** `http://…:4434/admin/events/stream`, to learn of ends at once and not with the next poll */
  stream?: string | URL
  /** sent with every request, e.g. for a gateway in front of the admin port */
  headers?: Record<string, string>
  /** pause between two polls @default 1000 */
  pollMs?: number
  /** how old the list of ended sessions may be: since the time up to which the server says that it is complete @default 10000 */
  maxStaleMs?: number
  /** what becomes of tokens when the list is older; `accept` trusts the signature alone @default 'reject' */
  whenStale?: 'reject' | 'accept'
  /** the expected `iss`: the public address of the server */
  issuer?: string
  /** one of these must be among `aud` */
  audience?: string | readonly string[]
  /** between the two clocks @default 5 */
  clockToleranceSeconds?: number
  /** called for lists and streams that could not be read; nothing is thrown for them */
  onError?(error: Error): void
  fetch?: typeof fetch
  /** milliseconds since 1970 */
  now?(): number
}

export type Claims = Record<string, unknown> & { sid: string; exp: number }

export interface Verifier {
  /**
   * The claims of a valid token whose session has not ended.
   * @throws TokenRejected
   */
  verify(token: string): Promise<Claims>
  /** Resolves when the list of ended sessions was asked for once, also when that failed. */
  ready(): Promise<void>
  /** For health checks and metrics. */
  state(): { fresh: boolean; staleMs: number; endedSessions: number; cursor: string }
  /** Ends polling and stream. */
  close(): void
}

const TIMEOUT_MS = 5000

/**
 * Checks tokens of `tokenize_as` by signature, time and the list of ended sessions, without a request for each.
 * Imports nothing of the server: it runs in other services.
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const { whenStale = 'reject', maxStaleMs = 10_000, clockToleranceSeconds: tolerance = 5, headers = {} } = options
  // It never goes back: an expired token would pass again, and its ended session be forgotten already.
  const now = options.now ?? steadyClock()
  const shared = { headers, fetch: options.fetch ?? fetch, steadyNow: now }
  const keys = createKeySet({ ...shared, jwks: options.jwks })
  const ended = createEnded()
  const following = follow({
    ...shared,
    now,
    ended,
    revocations: String(options.revocations),
    stream: options.stream === undefined ? undefined : String(options.stream),
    pollMs: options.pollMs ?? 1000,
    timeoutMs: Math.min(TIMEOUT_MS, maxStaleMs),
    onError: options.onError ?? (() => {}),
  })
  const staleMs = () => now() - following.knownAt()

  function checkTimes({ exp, nbf }: Record<string, unknown>): void {
    const seconds = now() / 1000
    if (typeof exp !== 'number' || exp + tolerance <= seconds)
      throw new TokenRejected('expired', 'the token has expired')
    if (nbf !== undefined && !(typeof nbf === 'number' && nbf - tolerance <= seconds)) {
      throw new TokenRejected('not_yet_valid', 'the token is not valid yet')
    }
  }

  function checkAddress({ iss, aud }: Record<string, unknown>): void {
    const { issuer, audience } = options
    if (issuer !== undefined && iss !== issuer) throw new TokenRejected('wrong_issuer', 'the token has another issuer')
    const wanted = audience === undefined ? undefined : [audience].flat()
    if (wanted !== undefined && ![aud].flat().some((one) => wanted.includes(one as string))) {
      throw new TokenRejected('wrong_audience', 'the token is for another audience')
    }
  }

  function checkSession({ sid, sub, iat }: Record<string, unknown>): void {
    if (staleMs() > maxStaleMs && whenStale === 'reject') {
      throw new TokenRejected(
        'stale',
        'it is not known which sessions have ended: the list could not be had for too long',
      )
    }
    if (ended.hasEnded(sid as string)) throw new TokenRejected('session_ended', 'the session has ended')
    if (typeof sub === 'string' && ended.isVoid(sub, typeof iat === 'number' ? iat : 0)) {
      throw new TokenRejected('identity_ended', 'the identity was disabled or deleted')
    }
  }

  return {
    async verify(text) {
      const token = parseToken(text)
      const { claims } = token
      // lists of ended sessions are signed by the same keys
      if (typeof claims.sid !== 'string' || (token.typ !== undefined && token.typ.toUpperCase() !== 'JWT')) {
        throw new TokenRejected('malformed', 'this is not a token of a session')
      }
      await keys.check(token)
      checkTimes(claims)
      checkAddress(claims)
      await following.first
      checkSession(claims)
      return claims as Claims
    },
    ready: () => following.first,
    state: () => ({
      fresh: staleMs() <= maxStaleMs,
      staleMs: staleMs(),
      endedSessions: ended.size(),
      cursor: following.cursor(),
    }),
    close: following.stop,
  }
}
