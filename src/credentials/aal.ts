import type { Aal, AuthenticationMethod } from '../sessions/types.ts'
import { descriptorOf } from './descriptors.ts'

/**
 * The level that the methods of a session add up to. An entry without a level, from rows of old versions, counts as a
 * first factor: guessing higher would let a session pass that never proved a second one.
 * @see Kratos session SetAuthenticatorAssuranceLevel
 */
export function aalOf(methods: readonly AuthenticationMethod[]): Aal | 'aal0' {
  if (methods.length === 0) return 'aal0'
  const second = methods.filter((m) => m.aal === 'aal2')
  const first = methods.some((m) => m.aal !== 'aal2') || second.some((m) => descriptorOf(m.method)?.provider)
  return first && second.length > 0 ? 'aal2' : 'aal1'
}

const RANKS = { aal0: 0, aal1: 1, aal2: 2 }

/** Whether a session of the level `has` suffices where `wanted` is asked for. An unknown level never does. */
export const reaches = (has: string, wanted: Aal): boolean =>
  Object.hasOwn(RANKS, has) && RANKS[has as keyof typeof RANKS] >= RANKS[wanted]
