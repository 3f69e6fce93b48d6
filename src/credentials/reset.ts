import type { DraftCredential } from '../identities/draft.ts'
import { descriptorOf } from './descriptors.ts'

/**
 * The credentials of a person who has lost their second factors. Identifiers of traits stay reserved.
 * @param passkeys also keys that are enough to sign in with: their owner may be left without a way in
 * @returns `removed`: the types that have changed
 */
export function withoutFactors(
  credentials: readonly DraftCredential[],
  { passkeys }: { passkeys: boolean },
): { credentials: DraftCredential[]; removed: string[] } {
  const removed: string[] = []
  const left = credentials.flatMap((credential) => {
    const after = reset(credential, passkeys)
    if (after !== credential) removed.push(credential.type)
    return after ?? []
  })
  return { credentials: left, removed }
}

function reset(credential: DraftCredential, passkeys: boolean): DraftCredential | undefined {
  const descriptor = descriptorOf(credential.type)
  if (!descriptor?.holdsKeys && !descriptor?.secondFactor?.isSet(credential)) return credential
  if (descriptor.holdsKeys && passkeys) {
    if (descriptor.identifiers !== 'derived') return undefined
    return Array.isArray(credential.config.credentials) ? { ...credential, config: {} } : credential
  }
  const { removable } = descriptor
  if (removable === 'row') return undefined
  const isSecond = typeof removable === 'function' && descriptor.secondFactor?.isSet(credential)
  return isSecond ? { ...credential, config: removable(credential.config) } : credential
}
