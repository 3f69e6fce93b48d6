import { TokenRejected } from './errors.ts'
import { fits, importKey, isSignedBy, type Jwk, type ParsedToken, type VerifyingKey } from './jws.ts'

export interface KeySetOptions {
  /** where the key set is, or the key set itself */
  jwks: string | URL | { keys: readonly Jwk[] }
  headers: Record<string, string>
  fetch: typeof fetch
  /** milliseconds that go on while the clock of the machine is set back */
  steadyNow(): number
}

/** A key set is read again after this long. */
const FRESH_MS = 10 * 60_000
/** An unknown key id makes the set be read again, but not for every forged token. */
const COOL_DOWN_MS = 10_000
const TIMEOUT_MS = 5000

/** One key, imported once for each algorithm. A key of an unknown kind makes every token invalid. */
function createKey(jwk: Jwk) {
  const imported = new Map<string, Promise<VerifyingKey | undefined>>()
  function of(alg: string): Promise<VerifyingKey | undefined> {
    const known = imported.get(alg) ?? importKey(jwk, alg).catch(() => undefined)
    imported.set(alg, known)
    return known
  }
  return {
    fits: (token: ParsedToken) => fits(token, jwk),
    async signed(token: ParsedToken): Promise<boolean> {
      const key = await of(token.alg)
      return key !== undefined && isSignedBy(token, key)
    },
  }
}

/**
 * Keeps a key set, and reads it again when it is old or a key id is unknown. The remote sets of jose are not used: they
 * refuse every token while an old set cannot be read again.
 */
export function createKeySet({ jwks, headers, fetch, steadyNow }: KeySetOptions) {
  const remote = typeof jwks === 'string' || jwks instanceof URL ? String(jwks) : undefined
  let keys: ReturnType<typeof createKey>[] = []
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined
  if (remote === undefined) keys = (jwks as { keys: readonly Jwk[] }).keys.map(createKey)

  function read(): Promise<void> {
    reading ??= load().finally(() => {
      readAt = steadyNow()
      reading = undefined
    })
    return reading
  }

  async function load(): Promise<void> {
    const answer = await fetch(remote!, { headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!answer.ok) throw new Error(`the key set was answered with status ${answer.status}`)
    const set = (await answer.json()) as { keys?: (Jwk | null)[] } | null
    if (!Array.isArray(set?.keys)) throw new Error('what was answered is no key set')
    keys = set.keys.flatMap((key) => (typeof key === 'object' && key !== null ? createKey(key) : []))
  }

  /** @throws TokenRejected unknown_key, bad_signature */
  async function check(token: ParsedToken): Promise<void> {
    const age = steadyNow() - readAt
    // an old key set is good enough while no new one can be read
    if (remote !== undefined && age > FRESH_MS) await read().catch(keepOld)
    let candidates = keys.filter((key) => key.fits(token))
    if (candidates.length === 0 && remote !== undefined && steadyNow() - readAt > COOL_DOWN_MS) {
      await read().catch(keepOld)
      candidates = keys.filter((key) => key.fits(token))
    }
    if (candidates.length === 0) throw new TokenRejected('unknown_key', 'the key set has no key for this token')
    for (const key of candidates) if (await key.signed(token)) return
    throw new TokenRejected('bad_signature', 'the signature of the token is wrong')
  }

  function keepOld(cause: unknown): void {
    if (keys.length === 0) throw new TokenRejected('unknown_key', 'the key set cannot be read', { cause })
  }

  return { check }
}
