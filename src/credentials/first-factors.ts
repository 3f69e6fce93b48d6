import type { StoredCredential } from '../identities/types.ts'
import { isFirstFactor } from './available-aal.ts'
import type { CodeUse } from './descriptor.ts'
import { descriptorOf } from './descriptors.ts'

/** The number of ways to sign in: each account at a provider is one. */
export function firstFactors({ credentials }: { credentials: readonly StoredCredential[] }, codes: CodeUse): number {
  const ways = (credential: StoredCredential) =>
    descriptorOf(credential.type)?.identifiers === 'exact' ? credential.identifiers.length : 1
  return credentials.filter((one) => isFirstFactor(one, codes)).reduce((sum, credential) => sum + ways(credential), 0)
}

/** The types of the ways to sign in. */
export const firstFactorTypes = (
  { credentials }: { credentials: readonly StoredCredential[] },
  codes: CodeUse,
): string[] => credentials.filter((one) => isFirstFactor(one, codes)).map(({ type }) => type)
