import { isInput, type UiNode } from '../flows/types.ts'
import type { IdentityService } from '../identities/service.ts'
import type { FullIdentity } from '../identities/types.ts'
import { HttpError } from '../kernel/http/errors.ts'
import { ringOf } from './enrol.ts'
import { storedIds } from './keys.ts'
import type { KeyPartyStore } from './store.ts'

export interface RemovedKeysDeps {
  keyParties: Pick<KeyPartyStore, 'ownersOf'>
  identities: Pick<IdentityService, 'get'>
}

/** A key that a device may still offer. @see https://www.w3.org/TR/webauthn-3/#sctn-signalUnknownCredential */
export interface RemovedKey {
  rpId: string
  /** base64url */
  credentialId: string
}

/** Whether a key was set up here, and no identity has it any more. An id that was never stored is none. */
export async function isRemoved(d: RemovedKeysDeps, id: Buffer, types: readonly string[]): Promise<boolean> {
  const owners = await d.keyParties.ownersOf(id)
  const held = await Promise.all(owners.map((owner) => holds(d, owner, id, types)))
  return owners.length > 0 && !held.includes(true)
}

/** A device is told of so many at once. */
const MAX_TOLD = 20

/** Keys that were set up here for an identity, and that it does not have any more. */
export async function removedKeysOf(
  { keyParties }: { keyParties: Pick<KeyPartyStore, 'of'> },
  { id, credentials }: Pick<FullIdentity, 'id' | 'credentials'>,
  types: readonly string[],
): Promise<RemovedKey[]> {
  const kept = new Set(types.flatMap((type) => storedIds(ringOf(credentials, type, id))))
  const gone = [...(await keyParties.of(id))].filter(([credentialId]) => !kept.has(credentialId))
  return gone.slice(0, MAX_TOLD).map(([credentialId, rpId]) => ({ rpId, credentialId }))
}

async function holds(d: RemovedKeysDeps, owner: string, id: Buffer, types: readonly string[]): Promise<boolean> {
  try {
    const { credentials } = await d.identities.get(owner)
    return types.some((type) => storedIds(ringOf(credentials, type, owner)).includes(id.toString('base64url')))
  } catch (error) {
    if (error instanceof HttpError && error.status === 404) return false
    throw error
  }
}

/** The same nodes; the options in the input of this name tell the page's script which keys are gone. */
export const tellingOf = (
  nodes: readonly UiNode[],
  name: string,
  unknownCredentials: readonly RemovedKey[],
): UiNode[] =>
  nodes.map((node) => {
    if (!isInput(node) || node.attributes.name !== name) return node
    const options = JSON.parse(String(node.attributes.value))
    return { ...node, attributes: { ...node.attributes, value: JSON.stringify({ ...options, unknownCredentials }) } }
  })
