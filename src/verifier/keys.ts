import type { KeyObject } from 'node:crypto'
import { TokenRejected } from './errors.ts'
import { fits, isSignedBy, type Jwk, type ParsedToken, toKeyObject } from './jws.ts'

export interface KeySetOptions {
  /** where the key set is, or the key set itself */
  jwks: string | URL | { keys: readonly Jwk[] }
  headers: Record<string, string>
  fetch: typeof fetch
  /** milliseconds */
  now(): number
}

/** A key set is read again after this long. */
const FRESH_MS = 10 * 60_000
/** An unknown key is a reason to read again, but not for everybody who sends rubbish. */
const COOL_DOWN_MS = 10_000
const TIMEOUT_MS = 5000

/** Keeps a key set, and reads it again when it is old or a key is unknown. */
export function createKeySet({ jwks, headers, fetch, now }: KeySetOptions) {
  const remote = typeof jwks === 'string' || jwks instanceof URL ? String(jwks) : undefined
  let keys: { jwk: Jwk; key: KeyObject }[] = []
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined
  if (remote === undefined) keys = usable((jwks as { keys: readonly Jwk[] }).keys)

  function read(): Promise<void> {
    reading ??= load().finally(() => {
      readAt = now()
      reading = undefined
    })
    return reading
  }

  async function load(): Promise<void> {
    const answer = await fetch(remote!, { headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!answer.ok) throw new Error(`the key set was answered with status ${answer.status}`)
    const set = (await answer.json()) as { keys?: Jwk[] } | null
    keys = usable(Array.isArray(set?.keys) ? set.keys : [])
  }

  /** @throws TokenRejected unknown_key, bad_signature */
  async function check(token: ParsedToken): Promise<void> {
    const age = now() - readAt
    // an old key set is good enough while a new one cannot be had
    if (remote !== undefined && age > FRESH_MS) await read().catch(keepOld)
    let candidates = keys.filter(({ jwk }) => fits(token, jwk))
    if (candidates.length === 0 && remote !== undefined && now() - readAt > COOL_DOWN_MS) {
      await read().catch(keepOld)
      candidates = keys.filter(({ jwk }) => fits(token, jwk))
    }
    if (candidates.length === 0) throw new TokenRejected('unknown_key', 'the key set has no key for this token')
    if (!candidates.some(({ key }) => isSignedBy(token, key))) {
      throw new TokenRejected('bad_signature', 'the signature of the token is wrong')
    }
  }

  function keepOld(cause: unknown): void {
    if (keys.length === 0) throw new TokenRejected('unknown_key', 'the key set cannot be read', { cause })
  }

  return { check }
}

/** A key of a kind that is not known must not keep the others from being used. */
function usable(list: readonly Jwk[]): { jwk: Jwk; key: KeyObject }[] {
  return list.flatMap((jwk) => {
    try {
      return [{ jwk, key: toKeyObject(jwk) }]
    } catch {
      return []
    }
  })
}
