import { type Hasher, HashingBusy, PasswordTooLong } from '../../crypto/passwords.ts'
import { StoreError, StoreUnavailable } from '../../db/client.ts'
import { refused } from '../flows/attempt.ts'
import { messages } from '../flows/messages.ts'
import type { PasswordCredential } from '../identities/types.ts'

export interface PasswordDeps {
  identities: {
    findByPasswordIdentifier(identifier: string): Promise<PasswordCredential | undefined>
    /** Writes `to` unless the hash is no longer `from`. */
    replacePasswordHash(identityId: string, hash: { from: string; to: string }): Promise<unknown>
  }
  hasher: Pick<Hasher, 'verify' | 'waste' | 'needsRehash' | 'hash'>
  log: { warn(details: object, message: string): void }
}

export interface Proof {
  identifier: string
  password: string
}

/**
 * Whose password it is. An identifier that nobody has costs as much time as a wrong password.
 * @throws FormRefused, the same for both; HashingBusy
 */
export async function authenticate(d: PasswordDeps, { identifier, password }: Proof): Promise<PasswordCredential> {
  const credential = await d.identities.findByPasswordIdentifier(identifier)
  if (credential?.hash === undefined) {
    await d.hasher.waste(password)
    throw refused(messages.wrongCredentials)
  }
  if (!(await d.hasher.verify(password, credential.hash))) throw refused(messages.wrongCredentials)
  return credential
}

/** Brings an imported or outdated hash up to what is configured. A login never fails for it. */
export async function renewHash(d: PasswordDeps, { identity, hash: from }: PasswordCredential, password: string) {
  if (from === undefined || !d.hasher.needsRehash(from)) return
  try {
    await d.identities.replacePasswordHash(identity.id, { from, to: await d.hasher.hash(password) })
  } catch (error) {
    const expected = [HashingBusy, PasswordTooLong, StoreUnavailable, StoreError].some((kind) => error instanceof kind)
    if (!expected) throw error
    d.log.warn({ err: error, identity_id: identity.id }, 'the password hash keeps its old form')
  }
}
