import type { JsonObject } from '../identities/types.ts'
import { formatTime, type Micros, SECOND } from '../kernel/base/clock.ts'
import type { Key, KeyFlags } from './keys.ts'
import { ALGORITHMS } from './options.ts'
import { comparableOrigin, type RelyingParty } from './origins.ts'
import type { CreationAnswer, UseAnswer } from './read.ts'

/** What an answer must match. */
export interface Expected {
  rp: RelyingParty
  /** base64url, as it was issued */
  challenge: string
}

/** @param why the library's message: for the log, never for people */
export type Verdict<T> = { ok: true; value: T } | { ok: false; why: string }

/** Bytes. @see WebAuthn L3, 4 */
export const MAX_ID = 1023

/** A new key, as it will be stored. */
export async function verifyCreation(
  answer: CreationAnswer,
  expected: Expected,
  as: { now: Micros; displayName: string; passwordless: boolean },
): Promise<Verdict<Key>> {
  const { verifyRegistrationResponse } = await library()
  return judged(async () => {
    const { verified, registrationInfo: made } = await verifyRegistrationResponse({
      ...expectations(answer, expected),
      response: answer.json,
      supportedAlgorithmIDs: ALGORITHMS,
    })
    if (!verified || !made) throw new Error('the attestation does not fit the key')
    const id = Buffer.from(made.credential.id, 'base64url')
    if (id.length > MAX_ID) throw new Error(`the id has more than ${MAX_ID} bytes`)
    const publicKey = Buffer.from(made.credential.publicKey)
    const flags = flagsOf(made)
    const stored: JsonObject = {
      id: id.toString('base64'),
      public_key: publicKey.toString('base64'),
      attestation_type: made.fmt,
      authenticator: { aaguid: guid(made.aaguid), sign_count: made.credential.counter, clone_warning: false },
      display_name: as.displayName,
      added_at: formatTime(Math.floor(as.now / SECOND) * SECOND),
      is_passwordless: as.passwordless,
      flags: { ...flags },
    }
    const { displayName, passwordless } = as
    const signCount = made.credential.counter
    return { id, publicKey, signCount, flags, passwordless, displayName, addedAt: String(stored.added_at), stored }
  })
}

export interface Used {
  signCount: number
  flags: KeyFlags
  /** the counter did not increase: the key may have been copied, or is shared by several devices */
  countedBack: boolean
}

/** Whether the answer was signed by the key. */
export async function verifyUse(answer: UseAnswer, key: Key, expected: Expected): Promise<Verdict<Used>> {
  const { verifyAuthenticationResponse } = await library()
  return judged(async () => {
    const { verified, authenticationInfo: used } = await verifyAuthenticationResponse({
      ...expectations(answer, expected),
      response: answer.json,
      // The counter is checked below: a wrong one is a hint, and no proof.
      credential: { id: answer.json.id, publicKey: new Uint8Array(key.publicKey), counter: 0 },
    })
    if (!verified) throw new Error('the signature is not that of the key')
    const flags = flagsOf(used)
    if (key.flags && key.flags.backup_eligible !== flags.backup_eligible) {
      throw new Error('whether the key can be backed up never changes')
    }
    const signCount = used.newCounter
    return { signCount, flags, countedBack: (signCount > 0 || key.signCount > 0) && signCount <= key.signCount }
  })
}

/** Origins are compared here, ignoring case; the library compares texts. A frame in another site may be a trap. */
function expectations(
  { origin, topOrigin = origin }: Pick<CreationAnswer, 'origin' | 'topOrigin'>,
  { rp, challenge }: Expected,
) {
  const own = rp.origins.map(comparableOrigin)
  for (const claimed of [origin, topOrigin]) {
    if (!own.includes(comparableOrigin(claimed))) throw new Error(`${claimed} is none of the origins`)
  }
  const [expectedOrigin, expectedTopOrigin] = [origin, topOrigin]
  return {
    expectedChallenge: challenge,
    expectedOrigin,
    expectedTopOrigin,
    expectedRPID: rp.id,
    requireUserVerification: false,
  }
}

function flagsOf(info: { userVerified: boolean; credentialDeviceType: string; credentialBackedUp: boolean }): KeyFlags {
  return {
    // The library refuses answers without a touch.
    user_present: true,
    user_verified: info.userVerified,
    backup_eligible: info.credentialDeviceType === 'multiDevice',
    backup_state: info.credentialBackedUp,
  }
}

const guid = (text: string) => Buffer.from(text.replaceAll('-', ''), 'hex').toString('base64')

/** Whatever the library refuses is an answer that does not match; it throws for nothing else. */
async function judged<T>(work: () => Promise<T>): Promise<Verdict<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * Loaded with the first answer: it takes half a second and 26 MB that a server without keys does not need. Makers of
 * authenticators are not checked, so nothing is fetched to find revoked certificates.
 */
async function library() {
  const webauthn = await import('@simplewebauthn/server')
  for (const identifier of ['android-key', 'android-safetynet', 'apple'] as const) {
    webauthn.SettingsService.setRootCertificates({ identifier, certificates: [] })
  }
  return webauthn
}
