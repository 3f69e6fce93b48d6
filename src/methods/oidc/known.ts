import type { Proof } from '../../sessions/service.ts'
import { OIDC } from './credential.ts'
import type { KnownByProvider } from './sign-in.ts'

/** What a session says of a sign-in by a provider. */
export function authenticationOf({ provider }: KnownByProvider): Proof['authentication'] {
  const { id, organization_id: organization } = provider
  return { method: OIDC, aal: 'aal1', provider: id, ...(organization ? { organization } : {}) }
}
