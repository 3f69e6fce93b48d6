import type { BreachCount } from './pwned.ts'
import { isTooSimilar } from './similarity.ts'

/** The part of `selfservice.methods.password.config` that new passwords are checked by. */
export interface PolicySettings {
  min_password_length: number
  identifier_similarity_check_enabled: boolean
  haveibeenpwned_enabled: boolean
  /** known breaches that are still allowed */
  max_breaches: number
}

/** Ids and texts are part of Kratos's contract. */
export interface PolicyMessage {
  id: number
  text: string
  type: 'error'
  /** absent where the text holds no numbers */
  context?: { [key: string]: number }
}

export type PolicyResult = { ok: true } | { ok: false; message: PolicyMessage }

const BCRYPT_MAX = 72

/**
 * Checks a new password. Lengths are bytes of UTF-8, as Kratos counts them, whatever the texts say.
 *
 * @param input.identifiers all identifiers of the identity; the password must differ from each
 * @param input.algorithm of new hashes: bcrypt takes 72 bytes at most
 * @throws BreachCheckUnavailable from `breaches`
 */
export async function checkPassword(input: {
  password: string
  identifiers: readonly string[]
  policy: PolicySettings
  algorithm: 'bcrypt' | 'argon2'
  breaches: BreachCount
}): Promise<PolicyResult> {
  const { password, policy } = input
  const length = Buffer.byteLength(password, 'utf8')
  if (length < policy.min_password_length) return tooShort(policy.min_password_length, length)
  if (policy.identifier_similarity_check_enabled && input.identifiers.some((own) => isTooSimilar(own, password))) {
    return refuse(4000031, 'The password can not be used because it is too similar to the identifier.')
  }
  // Before the breach check: a refused password should not be sent anywhere.
  if (input.algorithm === 'bcrypt' && length > BCRYPT_MAX) return tooLong(length)
  if (policy.haveibeenpwned_enabled) {
    const breaches = await input.breaches(password)
    if (breaches > policy.max_breaches) return breached(breaches)
  }
  return { ok: true }
}

/** Also for `PasswordTooLong`, where a password is hashed without a check by the policy. */
export function tooLong(actual: number): PolicyResult {
  const text = `The password must be at most ${BCRYPT_MAX} characters long, but got ${actual}.`
  return refuse(4000033, text, { max_length: BCRYPT_MAX, actual_length: actual })
}

function tooShort(min: number, actual: number): PolicyResult {
  const text = `The password must be at least ${min} characters long, but got ${actual}.`
  return refuse(4000032, text, { min_length: min, actual_length: actual })
}

function breached(breaches: number): PolicyResult {
  const text = 'The password has been found in data breaches and must no longer be used.'
  return refuse(4000034, text, { breaches })
}

function refuse(id: number, text: string, context?: { [key: string]: number }): PolicyResult {
  return { ok: false, message: { id, text, type: 'error', ...(context && { context }) } }
}
