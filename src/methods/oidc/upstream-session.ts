import { decodeJwt } from 'jose'
import type { Seal } from '../../kernel/crypto/seal.ts'
import type { UpstreamSignIn } from '../../sessions/store-upstream.ts'
import { type Claims, textAt } from './claims.ts'

/** Bytes of a name that an index can hold. */
const MAX_NAME = 1024
/** Bytes of an id token that is worth storing: a longer one fits into no request to the provider. */
const MAX_ID_TOKEN = 32 * 1024

/**
 * What the session stores of a sign-in, for its end: the provider's names for itself and its own session, and the id token.
 * @param idToken of this sign-in, from the provider itself or checked; empty without one
 */
export function upstreamSignIn(
  seal: Seal,
  { provider, subject, claims, idToken }: { provider: string; subject: string; claims: Claims; idToken: string },
): UpstreamSignIn {
  // Claims of another endpoint lack `sid`, and may name the issuer otherwise than its tokens do.
  const token = readToken(idToken)
  const issuer = textAt(token, 'iss') || textAt(claims, 'iss')
  const sid = textAt(token, 'sid') || textAt(claims.raw_claims, 'sid')
  const kept = idToken !== '' && Buffer.byteLength(idToken) <= MAX_ID_TOKEN ? Buffer.from(idToken) : undefined
  return {
    provider,
    subject,
    issuer: fits(issuer) ? issuer : '',
    sid: sid !== '' && fits(sid) ? sid : null,
    idToken: (kept && seal.close(kept)) ?? '',
  }
}

const fits = (name: string) => Buffer.byteLength(name) <= MAX_NAME && !name.includes('\0')

function readToken(idToken: string) {
  try {
    return decodeJwt(idToken) as Record<string, never>
  } catch {
    return undefined
  }
}
