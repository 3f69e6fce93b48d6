import {
  constants,
  createHmac,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from 'node:crypto'
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
  alg: string
  kid: string | undefined
  typ: string | undefined
  claims: Record<string, unknown>
  signed: string
  signature: Buffer
}

const CURVES: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }
const MAX_LENGTH = 64 * 1024

/** @throws TokenRejected malformed */
export function parseToken(token: string): ParsedToken {
  const parts = token.length > MAX_LENGTH ? [] : token.split('.')
  if (parts.length !== 3 || parts.some((part) => !/^[A-Za-z0-9_-]+$/.test(part))) throw malformed()
  const [head, body, signature] = parts as [string, string, string]
  const { alg, kid, typ, crit } = object(head)
  // an extension that must be understood is not
  if (typeof alg !== 'string' || crit !== undefined) throw malformed()
  return {
    alg,
    kid: typeof kid === 'string' ? kid : undefined,
    typ: typeof typ === 'string' ? typ : undefined,
    claims: object(body),
    signed: `${head}.${body}`,
    signature: Buffer.from(signature, 'base64url'),
  }
}

/**
 * Whether a key can have made tokens of this algorithm. The kind of the key decides, never the token alone: else a
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

/** Only what checks is kept of a key: a private one that was handed in is reduced to its public part. */
export function toKeyObject(key: Jwk): KeyObject {
  if (key.kty === 'oct') return createSecretKey(Buffer.from(String(key.k), 'base64url'))
  return createPublicKey({ key: key as never, format: 'jwk' })
}

export function isSignedBy({ alg, signed, signature }: ParsedToken, key: KeyObject): boolean {
  const digest = `sha${alg.slice(2)}`
  const data = Buffer.from(signed)
  switch (alg.slice(0, 2)) {
    case 'RS':
      return verify(digest, data, { key, padding: constants.RSA_PKCS1_PADDING }, signature)
    case 'PS': {
      const saltLength = constants.RSA_PSS_SALTLEN_DIGEST
      return verify(digest, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature)
    }
    case 'ES':
      return verify(digest, data, { key, dsaEncoding: 'ieee-p1363' }, signature)
    case 'HS': {
      const expected = createHmac(digest, key).update(data).digest()
      return expected.length === signature.length && timingSafeEqual(expected, signature)
    }
    default:
      return verify(null, data, key, signature)
  }
}

function object(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // falls through
  }
  throw malformed()
}

const malformed = () => new TokenRejected('malformed', 'this is not a signed token')
