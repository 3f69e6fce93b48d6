import type { Config } from '../config/schema/schema.ts'
import { fieldText } from '../flows/form.ts'
import type { Proved } from '../flows/login/method.ts'
import { messages } from '../flows/messages.ts'
import { refused } from '../flows/refused.ts'
import type { SubmittedForm } from '../flows/types.ts'
import type { IdentityService } from '../identities/service.ts'
import type { FullIdentity, Json, JsonObject } from '../identities/types.ts'
import { NotLocked, type Queryable } from '../kernel/db/client.ts'
import { type Used, verifyUse } from './ceremony.ts'
import { readChallenge } from './challenge.ts'
import { ringOf } from './enrol.ts'
import { handleOf, type Key, keyRingConfig } from './keys.ts'
import { keyMessages } from './messages.ts'
import type { RelyingParty } from './origins.ts'
import { readUse, type UseAnswer } from './read.ts'

export interface UseDeps {
  config(): Config
  identities: Pick<IdentityService, 'replaceConfig' | 'holdConfig'>
  log: { warn(details: object, message: string): void }
}

/** @throws FormRefused for what is no answer */
export function readAnswer(form: SubmittedForm, input: string): UseAnswer {
  const answer = readUse(fieldText(form, input))
  if (!answer) throw refused(keyMessages.unreadable)
  return answer
}

export interface Use {
  /** the challenge as it is stored with the flow */
  asked: Json | undefined
  rp: RelyingParty
  identity: FullIdentity
  /** of the credential that holds the keys */
  type: string
  /** those that may answer */
  keys: readonly Key[]
  answer: UseAnswer
}

/** Whether one of the person's keys has signed the flow's challenge. @throws FormRefused */
export async function proveKey(d: UseDeps, use: Use, authentication: Proved['authentication']): Promise<Proved> {
  const { identity, answer, rp } = use
  const asked = readChallenge(use.asked)
  const key = use.keys.find(({ id }) => id.equals(answer.id))
  const allowed = asked && (asked.allowed.length === 0 || asked.allowed.some((id) => id.equals(answer.id)))
  if (!asked || !allowed || !key || !isOwn(use, asked.userHandle)) throw refused(messages.wrongCode)
  const verdict = await verifyUse(answer, key, { rp, challenge: asked.challenge })
  if (!verdict.ok) {
    d.log.warn({ identity_id: identity.id, reason: verdict.why }, 'the answer of a key was refused')
    throw refused(messages.wrongCode)
  }
  const used = verdict.value
  if (used.countedBack) {
    const details = { identity_id: identity.id, key: key.id.toString('base64url') }
    d.log.warn(details, 'the counter of a key did not rise: it may have been copied, or several devices share it')
    // A key that can be backed up is on several devices, which count each for itself.
    if (d.config().lethe.keys.copied === 'refuse' && !used.flags.backup_eligible) throw refused(messages.wrongCode)
  }
  return { kind: 'proved', identity, authentication, write: (tx) => noteUse(d, use, key, used, tx) }
}

/**
 * An authenticator may name the person. Handles that were issued before count as well: a row may have lost the
 * first one when Kratos added a second key.
 */
function isOwn({ identity, type, answer }: Use, asked: Buffer): boolean {
  const { userHandle } = answer
  if (userHandle === undefined) return true
  const { userHandle: kept } = ringOf(identity.credentials, type, identity.id)
  const texts = identity.credentials.find((one) => one.type === type)?.identifiers ?? []
  const own = [asked, kept, handleOf(identity.id), ...texts.map((text) => Buffer.from(text))]
  return own.some((handle) => handle.equals(userHandle))
}

/** Stores the counter of the key; the higher one stays. A key that its owner has removed meanwhile proves nothing. */
async function noteUse(d: UseDeps, { identity, type }: Use, key: Key, used: Used, tx: Queryable): Promise<void> {
  const { config: from } = identity.credentials.find((one) => one.type === type)!
  const known = key.stored.authenticator as JsonObject | undefined
  const warned = used.countedBack || known?.clone_warning === true
  const count = Math.max(used.signCount, key.signCount)
  const unchanged = count === key.signCount && warned === (known?.clone_warning === true)
  const noted = unchanged
    ? await d.identities.holdConfig(identity.id, { type, from }, tx)
    : await d.identities.replaceConfig(identity.id, { type, from, to: counted() }, tx)
  if (!noted) throw new NotLocked('the keys have changed')

  function counted(): JsonObject {
    const authenticator = { ...known, sign_count: count, clone_warning: warned }
    const ring = ringOf(identity.credentials, type, identity.id)
    const isUsed = (one: Key) => one.id.equals(key.id)
    const keys = ring.keys.map((one) => (isUsed(one) ? { ...one, stored: { ...one.stored, authenticator } } : one))
    return keyRingConfig({ ...ring, keys })
  }
}
