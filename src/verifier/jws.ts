import { type CryptoKey, compactVerify, decodeJwt, decodeProtectedHeader, importJWK } from 'jose'
import { TokenRejected } from './errors.ts'

/** A key as JSON (RFC 7517), as far as it is read here. */
export interface Jwk {
  kty?: string | undefined
  kid?: string | undefined
  alg?: string | undefined
  use?: string | undefined
  crv?: string | undefined
  k?: string | undefined
  [member: string]: unknown
}

export interface ParsedToken {
  text: string
  alg: string
  kid: string | undefined
  typ: string | undefined
  claims: Record<string, unknown>
}

export type VerifyingKey = CryptoKey | Uint8Array

const CURVES: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }
const MAX_LENGTH = 64 * 1024

/** Parses a token and checks nothing. @throws TokenRejected malformed */
export function parseToken(text: string): ParsedToken {
  try {
    if (text.length > MAX_LENGTH || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) throw malformed()
    const { alg, kid, typ, crit } = decodeProtectedHeader(text)
    // RFC 7515: `crit` names extensions that must be understood, and none is
    if (typeof alg !== 'string' || crit !== undefined) throw malformed()
    return {
      text,
      alg,
      claims: decodeJwt(text),
      kid: typeof kid === 'string' ? kid : undefined,
      typ: typeof typ === 'string' ? typ : undefined,
    }
  } catch {
    throw malformed()
  }
}

/**
 * Whether a key may have made tokens of this algorithm. The kind of the key decides, never the token alone: otherwise a
 * public key could be taken for the secret of an HMAC.
 */
export function fits({ alg, kid }: Pick<ParsedToken, 'alg' | 'kid'>, key: Jwk): boolean {
  if (kid !== undefined && key.kid !== undefined && key.kid !== kid) return false
  if ((key.alg !== undefined && key.alg !== alg) || (key.use !== undefined && key.use !== 'sig')) return false
  if (/^(RS|PS)(256|384|512)$/.test(alg)) return key.kty === 'RSA'
  if (alg in CURVES) return key.kty === 'EC' && key.crv === CURVES[alg]
  if (alg === 'EdDSA' || alg === 'Ed25519') return key.kty === 'OKP' && key.crv === 'Ed25519'
  return /^HS(256|384|512)$/.test(alg) && key.kty === 'oct' && key.k !== undefined
}

const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'key_ops', 'ext']

/** Keeps only the public part, also of a private key. */
export function importKey(key: Jwk, alg: string): Promise<VerifyingKey> {
  const shown = Object.entries(key).filter(([name]) => !PRIVATE.includes(name))
  return importJWK(Object.fromEntries(shown), alg)
}

/** A key that jose refuses, such as one that is too short, makes every token invalid. */
export const isSignedBy = ({ text, alg }: ParsedToken, key: VerifyingKey): Promise<boolean> =>
  compactVerify(text, key, { algorithms: [alg] }).then(
    () => true,
    () => false,
  )

const malformed = () => new TokenRejected('malformed', 'this is not a signed token')
