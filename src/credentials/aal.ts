import type { Aal, AuthenticationMethod } from '../sessions/types.ts'

/** Upstream providers can have checked both factors themselves. */
const BOTH_AT_ONCE = new Set(['oidc', 'saml'])

/**
 * The level that the methods of a session add up to. An entry without a level, from rows of old versions, counts as a
 * first factor: guessing higher would let a session pass that never proved a second one.
 * @see Kratos session SetAuthenticatorAssuranceLevel
 */
export function aalOf(methods: readonly AuthenticationMethod[]): Aal | 'aal0' {
  if (methods.length === 0) return 'aal0'
  const second = methods.filter((m) => m.aal === 'aal2')
  const first = methods.some((m) => m.aal !== 'aal2') || second.some((m) => BOTH_AT_ONCE.has(m.method))
  return first && second.length > 0 ? 'aal2' : 'aal1'
}
