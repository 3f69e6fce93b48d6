import type { Json, JsonObject } from '../identities/types.ts'
import type { Random } from '../kernel/crypto/tokens.ts'

/** A request to an authenticator, stored with the flow until it is answered. */
export interface Challenge {
  /** base64url */
  challenge: string
  /** of the person it is for; empty where any account may answer */
  userHandle: Buffer
  /** ids of the keys that may answer; empty: any */
  allowed: Buffer[]
}

const BYTES = 32

export const newChallenge = (random: Random): Buffer => random(BYTES)

/** In the format of Kratos, so that either server finishes what the other began. */
export function challengeContext(
  asked: { rpId: string; challenge: Buffer; userHandle?: Buffer; allowed?: readonly Buffer[] },
  userVerification: 'discouraged' | 'preferred',
): JsonObject {
  const { rpId, challenge, userHandle, allowed = [] } = asked
  return {
    challenge: challenge.toString('base64url'),
    rpId,
    user_id: userHandle === undefined ? null : userHandle.toString('base64'),
    userVerification,
    expires: '0001-01-01T00:00:00Z',
    ...(allowed.length === 0 ? {} : { allowed_credentials: allowed.map((id) => id.toString('base64')) }),
  }
}

/** Undefined where there was no request, or it has been answered. */
export function readChallenge(context: Json | undefined): Challenge | undefined {
  const { challenge, user_id: userId, allowed_credentials: allowed } = Object(context) as JsonObject
  if (typeof challenge !== 'string' || challenge === '') return undefined
  const bytes = (value: Json) => (typeof value === 'string' ? [Buffer.from(value, 'base64')] : [])
  return {
    challenge,
    userHandle: bytes(userId ?? null)[0] ?? Buffer.alloc(0),
    allowed: Array.isArray(allowed) ? allowed.flatMap(bytes) : [],
  }
}

/** Members in the order of jsonb, shorter names first, so that a form read from the database again is the same text. */
export function inStoredOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map(inStoredOrder)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value as JsonObject)
  members.sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, inner]) => [name, inStoredOrder(inner)]))
}
