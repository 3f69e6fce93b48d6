import type { Attempt, LoginAttempts } from '../../flows/login/attempts.ts'
import type { KnownBrowsers } from '../../flows/login/known-browsers.ts'
import { messages } from '../../flows/messages.ts'
import { refused } from '../../flows/refused.ts'
import type { Caller } from '../../flows/types.ts'
import { asciiAddress } from '../../identities/domains.ts'
import { isLongerThan, MAX_IDENTIFIER } from '../../identities/normalise.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { PasswordCredential } from '../../identities/types.ts'
import { type Hasher, HashingBusy, PasswordTooLong, type Share } from '../../kernel/crypto/passwords/passwords.ts'
import { StoreError, StoreUnavailable } from '../../kernel/db/client.ts'
import { shareOf } from './share.ts'

export interface AuthenticateDeps {
  identities: Pick<IdentityService, 'findByPasswordIdentifier' | 'replacePasswordHash'>
  hasher: Pick<Hasher, 'verify' | 'dummyVerify' | 'needsRehash' | 'hash'>
  attempts: LoginAttempts
  knownBrowsers: Pick<KnownBrowsers, 'of'>
  log: { warn(details: object, message: string): void }
}

export interface Proof {
  identifier: string
  password: string
}

/**
 * The identity of an identifier and a password. An unknown identifier costs as much time as a wrong password.
 * @throws FormRefused, the same for both; 429 after too many failures; HashingBusy
 */
export async function authenticate(
  d: AuthenticateDeps,
  proof: Proof,
  caller: Pick<Caller, 'client' | 'knownBrowser'>,
): Promise<PasswordCredential> {
  // No account can have it, and it is not a guess either: no work is done for it.
  if (isLongerThan(proof.identifier, MAX_IDENTIFIER)) throw refused(messages.wrongCredentials)
  const { password } = proof
  const identifier = asciiAddress(proof.identifier)
  const { client } = caller
  const find = () => d.identities.findByPasswordIdentifier(identifier)
  const who: Attempt = {
    identifier,
    client,
    knownBrowser: d.knownBrowsers.of(caller.knownBrowser, identifier),
    identityId: async () => (await find())?.identity.id,
  }
  const counts = await d.attempts.begin(who)
  const credential = await find()
  if (await verified(d, credential, password, shareOf(identifier, client))) {
    // Again: of concurrent guesses, those beyond the limit learn nothing, not even when they are right.
    await d.attempts.check(counts)
    return credential!
  }
  await d.attempts.failed(who, counts)
  throw refused(messages.wrongCredentials)
}

async function verified(
  d: AuthenticateDeps,
  credential: PasswordCredential | undefined,
  password: string,
  share: Share,
): Promise<boolean> {
  if (credential?.hash !== undefined) return d.hasher.verify(password, credential.hash, share)
  await d.hasher.dummyVerify(password, share)
  return false
}

/** Replaces an imported or outdated hash by one as configured. A login never fails for it. */
export async function renewHash(d: AuthenticateDeps, { identity, hash: from }: PasswordCredential, password: string) {
  if (from === undefined || !d.hasher.needsRehash(from)) return
  try {
    await d.identities.replacePasswordHash(identity.id, { from, to: await d.hasher.hash(password) })
  } catch (error) {
    const expected = [HashingBusy, PasswordTooLong, StoreUnavailable, StoreError].some((kind) => error instanceof kind)
    if (!expected) throw error
    d.log.warn({ err: error, identity_id: identity.id }, 'the password hash keeps its old form')
  }
}
