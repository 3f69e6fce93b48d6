import type { StoredCredential } from '../identities/types.ts'
import type { CodeUse } from './descriptor.ts'
import { descriptorOf } from './descriptors.ts'

type Credential = Pick<StoredCredential, 'type' | 'identifiers' | 'config'>

/** Whether a credential alone is enough to sign in. */
export const isFirstFactor = (credential: Credential, codes: CodeUse): boolean =>
  descriptorOf(credential.type)?.firstFactor?.(credential, codes) ?? false

/** What the credentials of an identity are as second factors: an optional one counts while it is switched on. */
export type SecondFactor = 'set' | 'optional' | null

export function secondFactorOf(credentials: readonly Credential[]): SecondFactor {
  const set = credentials.flatMap((credential) => {
    const factor = descriptorOf(credential.type)?.secondFactor
    return factor?.isSet(credential) ? factor : []
  })
  if (set.some(({ optional }) => !optional)) return 'set'
  return set.length > 0 ? 'optional' : null
}

export const counts = (factor: SecondFactor, codes: CodeUse): boolean =>
  factor === 'set' || (factor === 'optional' && codes.mfa_enabled)

/** The highest assurance level that an identity can reach with its credentials. */
export function availableAal(credentials: readonly Credential[], codes: CodeUse): 'aal0' | 'aal1' | 'aal2' {
  if (!credentials.some((credential) => isFirstFactor(credential, codes))) return 'aal0'
  return counts(secondFactorOf(credentials), codes) ? 'aal2' : 'aal1'
}
