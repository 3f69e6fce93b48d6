import type { StoredCredential } from '../identities/types.ts'
import { isFirstFactor } from './available-aal.ts'
import { descriptorOf } from './descriptors.ts'

/** The number of ways to sign in: each account at a provider is one. */
export function firstFactors({ credentials }: { credentials: readonly StoredCredential[] }): number {
  const ways = (credential: StoredCredential) =>
    descriptorOf(credential.type)?.identifiers === 'exact' ? credential.identifiers.length : 1
  return credentials.filter(isFirstFactor).reduce((sum, credential) => sum + ways(credential), 0)
}
