import type { StoredCredential } from '../identities/types.ts'
import { descriptorOf } from './descriptors.ts'

type Credential = Pick<StoredCredential, 'type' | 'identifiers' | 'config'>

/** Whether a credential alone is enough to sign in. */
export const isFirstFactor = (credential: Credential): boolean =>
  descriptorOf(credential.type)?.firstFactor?.(credential) ?? false

const isSecondFactor = (credential: Credential): boolean =>
  descriptorOf(credential.type)?.secondFactor?.isSet(credential) ?? false

/** The highest assurance level that an identity can reach with its credentials. */
export function availableAal(credentials: readonly Credential[]): 'aal0' | 'aal1' | 'aal2' {
  if (!credentials.some(isFirstFactor)) return 'aal0'
  return credentials.some(isSecondFactor) ? 'aal2' : 'aal1'
}
