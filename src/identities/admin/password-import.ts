import { type Hasher, HashingBusy, PasswordTooLong } from '../../kernel/crypto/passwords/passwords.ts'
import { badRequest, unavailable } from '../../kernel/http/errors.ts'
import { hashUnknown } from '../failures.ts'
import type { JsonObject } from '../types.ts'
import type { PasswordImport } from './bodies.ts'

/**
 * The config of a password credential. No policy is applied: an import must accept existing passwords.
 * @throws 400 for a hash of no known family or a password that the hasher cannot take, 503 when it is busy
 */
export async function passwordConfig(
  hasher: Pick<Hasher, 'hash' | 'knows'>,
  from: PasswordImport,
): Promise<JsonObject> {
  if ('hook' in from) return { hashed_password: '', use_password_migration_hook: true }
  if ('hash' in from) {
    if (!hasher.knows(from.hash)) throw hashUnknown()
    return { hashed_password: from.hash }
  }
  return { hashed_password: await hasher.hash(from.password).catch(refuse) }
}

function refuse(error: unknown): never {
  if (error instanceof HashingBusy) throw unavailable('Too many passwords are being hashed.', error)
  if (!(error instanceof PasswordTooLong)) throw error
  const { maxLength, actualLength } = error
  throw badRequest(`The password must be at most ${maxLength} characters long, but got ${actualLength}.`)
}
