import type { Config } from '../../config/schema/schema.ts'
import { refused } from '../../flows/refused.ts'
import { type Hasher, PasswordTooLong, type Share } from '../../kernel/crypto/passwords/passwords.ts'
import { checkPassword, type PolicyResult, tooLong } from '../../kernel/crypto/passwords/policy.ts'
import { BreachCheckUnavailable, type BreachCount } from '../../kernel/crypto/passwords/pwned.ts'
import { unavailable } from '../../kernel/http/errors.ts'

export interface NewPasswordDeps {
  config(): Config
  hasher: Pick<Hasher, 'hash'>
  breaches: BreachCount
}

/**
 * Checks a new password against the policy. Nothing is written and nothing hashed yet.
 * @throws FormRefused with the messages of the policy; 503 when leaks must be checked and cannot be
 */
export async function judgePassword(
  d: NewPasswordDeps,
  password: string,
  identifiers: readonly string[],
): Promise<void> {
  const { selfservice, hashers } = d.config()
  const result = await checkPassword({
    password,
    identifiers,
    policy: selfservice.methods.password.config,
    algorithm: hashers.algorithm,
    breaches: d.breaches,
  }).catch((error: unknown) => {
    if (!(error instanceof BreachCheckUnavailable)) throw error
    throw unavailable('The password could not be checked against known leaks. Please try again in a moment.', error)
  })
  assertAccepted(result)
}

/** @throws FormRefused for a password that the algorithm cannot take, HashingBusy */
export async function hashPassword(d: NewPasswordDeps, password: string, share: Share): Promise<string> {
  try {
    return await d.hasher.hash(password, share)
  } catch (error) {
    if (error instanceof PasswordTooLong) assertAccepted(tooLong(error.actualLength))
    throw error
  }
}

function assertAccepted(result: PolicyResult): void {
  if (!result.ok) throw refused(result.message, 'password')
}
