import { type FormPart, NO_PART } from '../flows/engine/compose.ts'
import type { Key } from './keys.ts'
import { keyMessages } from './messages.ts'
import type { KeyPartyStore } from './store.ts'

export interface FittingDeps {
  keyParties: Pick<KeyPartyStore, 'of'>
}

export interface Fitting {
  keys: Key[]
  /** the relying parties of the others */
  elsewhere: string[]
}

export const NO_KEYS: Fitting = { keys: [], elsewhere: [] }

/** The part of a form in which no key can be used. @param elsewhere of their owner; none if there are no keys at all */
export const noneFits = (elsewhere: readonly string[], rpId: string): FormPart =>
  elsewhere.length === 0 ? NO_PART : { nodes: [], messages: [keyMessages.elsewhere(elsewhere, rpId)] }

/**
 * The keys that can work here: browsers refuse one that was made for another `rp.id`. Where that is unknown, as with keys
 * of Kratos, a key is offered.
 */
export async function fittingKeys(
  d: FittingDeps,
  identityId: string,
  keys: readonly Key[],
  rpId: string,
): Promise<Fitting> {
  const parties = await d.keyParties.of(identityId)
  const partyOf = ({ id }: Key) => parties.get(id.toString('base64url')) ?? rpId
  return {
    keys: keys.filter((key) => partyOf(key) === rpId),
    elsewhere: [...new Set(keys.map(partyOf))].filter((party) => party !== rpId),
  }
}
