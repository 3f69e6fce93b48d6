import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import { isObject, type Json, type JsonObject } from '../../identities/types.ts'
import { readAnswer } from './answers.ts'
import type { TokenTrust } from './upstream.ts'

/** Clocks may differ by this much. */
const TOLERANCE_SECONDS = 60
/** Keys that are tried for a token that does not say which one has signed it. */
const MOST_TRIED = 20

/**
 * @param set the keys of the issuer: one that is not understood is passed over (RFC 7517 §5)
 * @param now seconds since 1970
 * @returns the claims. @throws Error with what is wrong with the token
 * @see OpenID Connect Core 1.0 §3.1.3.7
 */
export async function verifyIdToken(set: Json, idToken: string, trust: TokenTrust, now: number): Promise<JsonObject> {
  const [, body = ''] = idToken.split('.', 2)
  readAnswer(Buffer.from(body, 'base64url'))
  const options = {
    issuer: trust.issuer,
    audience: [...trust.audiences],
    clockTolerance: TOLERANCE_SECONDS,
    currentDate: new Date(now * 1000),
    requiredClaims: ['exp'],
  }
  const payload = await verifyWithAny(keysOf(set), idToken, options).catch((error: unknown) => {
    throw outOfTime(error, now) ?? error
  })
  const { azp } = payload
  if (azp !== undefined && !trust.audiences.some((one) => one === azp)) {
    throw new Error('the id_token was issued to another client (azp)')
  }
  return payload as JsonObject
}

/** Perhaps it was signed by a key that the issuer has had only for a while. */
export const mayBeNewKey = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed

function keysOf(set: Json): JSONWebKeySet {
  const keys = isObject(set) && Array.isArray(set.keys) ? set.keys.filter(isObject) : []
  return { keys: keys as unknown as JSONWebKeySet['keys'] }
}

async function verifyWithAny(keys: JSONWebKeySet, idToken: string, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(idToken, createLocalJWKSet(keys), options)).payload
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    let tried = 0
    for await (const key of error) {
      if (tried++ === MOST_TRIED) break
      const found = await jwtVerify(idToken, key, options).catch((wrong: unknown) => {
        if (wrong instanceof errors.JWSSignatureVerificationFailed) return undefined
        throw wrong
      })
      if (found) return found.payload
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/** Says by how much the clocks differ. */
function outOfTime(error: unknown, now: number): Error | undefined {
  const late = error instanceof errors.JWTExpired
  const early = error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf'
  if (!late && !early) return undefined
  const { exp, nbf } = error.payload
  const seconds = Math.round(late ? now - Number(exp) : Number(nbf) - now)
  if (!Number.isFinite(seconds)) return undefined
  const told = late ? `expired ${seconds} seconds ago` : `is not valid for another ${seconds} seconds`
  return new Error(`the id_token ${told}, and clocks may differ by ${TOLERANCE_SECONDS}`, { cause: error })
}
