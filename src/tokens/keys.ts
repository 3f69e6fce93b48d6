import type { CryptoKey, JWK } from 'jose'

export interface SigningKey {
  alg: string
  /** undefined where the key set names none */
  kid: string | undefined
  key: CryptoKey | Uint8Array
}

/** The key set was read, but its first key cannot sign. The message may be shown to clients. */
export class KeyUnusable extends Error {
  override readonly name = 'KeyUnusable'
}

const ALGORITHM = /^(?:(?:RS|PS|ES|HS)(?:256|384|512)|EdDSA|Ed25519)$/

/** The first key of a JWK set. Signs once, so that a key that is too short is found here and not at the first request. */
export async function firstSigningKey(set: unknown): Promise<SigningKey> {
  const jwk = (set as { keys?: (JWK | null)[] } | null)?.keys?.[0]
  if (typeof jwk !== 'object' || jwk === null) {
    throw new KeyUnusable('Could not find a suitable key for tokenization in the JWKS url.')
  }
  const { alg, kid } = jwk
  if (typeof alg !== 'string' || !ALGORITHM.test(alg)) {
    throw new KeyUnusable(`The JSON Web Key must include a valid "alg" parameter but "${alg ?? ''}" was given.`)
  }
  try {
    // Loaded only by nodes that sign.
    const { importJWK, SignJWT } = await import('jose')
    const key = await importJWK(jwk, alg)
    await new SignJWT({}).setProtectedHeader({ alg }).sign(key)
    return { alg, kid: typeof kid === 'string' ? kid : undefined, key }
  } catch (cause) {
    throw new KeyUnusable('Unable to decode the given private key.', { cause })
  }
}

/** A key set is read again after this long; meanwhile the present key goes on signing. */
const FRESH_MS = 60_000
/** A key that could not be read again for this long is given up. */
const KEEP_MS = 3_600_000
/** A source that failed is not asked again for this long, so that no request waits for it. */
const RETRY_MS = 5_000

/**
 * Keeps the key of one source. At most one read is in flight, and none within `RETRY_MS` of a failed one, however
 * many requests ask.
 * @param load reads the source; @param now milliseconds of a monotonic clock
 * @returns a function that throws what `load` throws, when there is no key young enough
 */
export function keepKey(load: () => Promise<SigningKey>, now: () => number): () => Promise<SigningKey> {
  let kept: { key: SigningKey; at: number } | undefined
  let failed: { error: unknown; at: number } | undefined
  let reading: Promise<SigningKey> | undefined

  function read(): Promise<SigningKey> {
    reading ??= load()
      .then((key) => {
        kept = { key, at: now() }
        failed = undefined
        return key
      })
      .catch((error) => {
        failed = { error, at: now() }
        throw error
      })
      .finally(() => {
        reading = undefined
      })
    return reading
  }

  return async () => {
    const age = kept === undefined ? Number.POSITIVE_INFINITY : now() - kept.at
    const paused = failed !== undefined && now() - failed.at < RETRY_MS
    if (kept !== undefined && age < KEEP_MS) {
      if (age >= FRESH_MS && !paused) read().catch(() => {})
      return kept.key
    }
    if (paused) throw failed!.error
    return read()
  }
}
