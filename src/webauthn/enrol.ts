import { isFirstFactor } from '../credentials/available-aal.ts'
import type { CodeUse } from '../credentials/descriptor.ts'
import { descriptorOf } from '../credentials/descriptors.ts'
import { fieldText } from '../flows/form.ts'
import { refused } from '../flows/refused.ts'
import type { SubmittedForm } from '../flows/types.ts'
import { withCredential, without } from '../identities/credential-changes.ts'
import type { DraftCredential } from '../identities/draft.ts'
import type { Json, StoredCredential } from '../identities/types.ts'
import type { Micros } from '../kernel/base/clock.ts'
import { type Expected, MAX_ID, verifyCreation } from './ceremony.ts'
import { readChallenge } from './challenge.ts'
import { type Key, type KeyRing, keyRingConfig, keyRingOf, MAX_KEYS, readKey } from './keys.ts'
import { keyMessages } from './messages.ts'
import { readCreation } from './read.ts'

const MAX_NAME = 200

/** The name that the owner gives a key. @throws FormRefused */
export function keyName(form: SubmittedForm, input: string): string {
  const name = fieldText(form, input)
  if ([...name].length > MAX_NAME || /\p{Cc}/u.test(name)) throw refused(keyMessages.badName, input)
  return name
}

/**
 * The key in a form, if it answers the flow's challenge.
 * @param asked the challenge as it is stored with the flow
 * @throws FormRefused
 */
export async function newKey(
  answer: string,
  asked: Json | undefined,
  rp: Expected['rp'],
  as: { now: Micros; displayName: string; passwordless: boolean },
): Promise<{ key: Key; userHandle: Buffer }> {
  const read = readCreation(answer)
  if (!read) throw refused(keyMessages.unreadableNew)
  if (read.id.length > MAX_ID) throw refused(keyMessages.idTooLong)
  const challenge = readChallenge(asked)
  if (!challenge) throw refused(keyMessages.notForThisForm)
  const verdict = await verifyCreation(read, { rp, challenge: challenge.challenge }, as)
  if (!verdict.ok) throw refused(keyMessages.notForThisForm)
  return { key: verdict.value, userHandle: challenge.userHandle }
}

type Credentials = readonly StoredCredential[]

export const ringOf = (credentials: Credentials, type: string, identityId: string): KeyRing =>
  keyRingOf(
    credentials.find((credential) => credential.type === type),
    identityId,
  )

const draftOf = (type: string, ring: KeyRing, identifiers: string[]): DraftCredential => ({
  type,
  config: keyRingConfig(ring),
  version: 1,
  identifiers,
})

/** @throws FormRefused for a key that exists already, and for one more than are read */
export function withKey(
  { id, credentials }: { id: string; credentials: Credentials },
  type: string,
  added: { key: Key; userHandle: Buffer; identifiers: readonly string[] },
): DraftCredential[] {
  const ring = ringOf(credentials, type, id)
  if (ring.keys.some((key) => key.id.equals(added.key.id))) throw refused(keyMessages.twice)
  if (ring.keys.length >= MAX_KEYS) throw refused(keyMessages.tooMany)
  const next = { ...ring, keys: [...ring.keys, added.key], userHandle: added.userHandle }
  return withCredential(credentials, draftOf(type, next, [...added.identifiers]))
}

/** @param hexId from its button @returns undefined for an unknown key */
export function withoutKey(
  { id, credentials }: { id: string; credentials: Credentials },
  type: string,
  hexId: string,
): DraftCredential[] | undefined {
  const ring = ringOf(credentials, type, id)
  const isGone = (key: Key) => key.id.toString('hex') === hexId.toLowerCase()
  const [gone, keys] = [ring.keys.filter(isGone), ring.keys.filter((key) => !isGone(key))]
  if (gone.length === 0) return undefined
  const known = credentials.find((credential) => credential.type === type)!
  // An entry that cannot be read still counts as a second factor: without a key beside it, it would lock the owner out.
  const isLast = gone.some(({ passwordless }) => !keys.some((key) => key.passwordless === passwordless))
  const unread = (ring.unread ?? []).filter((entry) => !isLast || readKey(entry))
  // Identifiers of the traits stay reserved; handles of keys are of no use without them.
  if (keys.length + unread.length === 0 && descriptorOf(type)?.identifiers !== 'derived')
    return without(credentials, type)
  return withCredential(credentials, {
    ...draftOf(type, { ...ring, keys, unread }, known.identifiers),
    created_at: known.created_at,
  })
}

/** Whether the owner could sign in before, and cannot any more. */
export function locksOut(
  before: readonly DraftCredential[],
  after: readonly DraftCredential[],
  codes: CodeUse,
): boolean {
  const letsIn = (one: DraftCredential) => isFirstFactor(one, codes)
  return before.some(letsIn) && !after.some(letsIn)
}
