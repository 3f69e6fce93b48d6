import type { Config } from '../../config/schema/schema.ts'
import { descriptorOf } from '../../credentials/descriptors.ts'
import type { DraftCredential } from '../../identities/draft.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { FullIdentity, TraitAddress } from '../../identities/types.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import { ProofUsed } from '../proof/proof.ts'
import type { Recovered } from './method.ts'

export interface ReclaimDeps {
  config(): Config
  identities: Pick<IdentityService, 'get' | 'changeCredentials'>
}

/**
 * A stranger may have signed up with another person's address, and set password and factors: the owner would recover an
 * account that the stranger goes on using, or be kept out by the stranger's factor. Where no address of the account was
 * verified before, the person who proves one is the first known owner. Called before the proof is used.
 * @returns the identity, if it was reclaimed; its sessions are left to the caller
 * @throws ProofUsed for another address of the account: the stranger may have given it, too, and would come back by it
 */
export async function reclaim(
  d: ReclaimDeps,
  { identityId, address }: Recovered,
  tx: Queryable,
): Promise<FullIdentity | undefined> {
  if (d.config().lethe.recovery.first_proof === 'keep' || !address) return undefined
  const before = await d.identities.get(identityId, tx)
  if (isOutranked(before, address)) throw new ProofUsed()
  if (!isFirstProof(before, address)) return undefined
  return d.identities.changeCredentials(identityId, ({ credentials }) => credentials.flatMap(onlyIdentifiers), tx)
}

/** Whether the owner is known by another address. */
function isOutranked({ verifiable_addresses: all }: FullIdentity, address: TraitAddress): boolean {
  return all.some(({ verified }) => verified) && !all.some((one) => one.verified && isSame(one, address))
}

const isSame = (one: TraitAddress, { via, value }: TraitAddress) => one.via === via && one.value === value

function isFirstProof({ verifiable_addresses: all }: FullIdentity, address: TraitAddress): boolean {
  return all.some((one) => isSame(one, address)) && all.every(({ verified }) => !verified)
}

/** What follows from the traits stays, so that the address still leads to this account. */
function onlyIdentifiers(credential: DraftCredential): DraftCredential[] {
  const descriptor = descriptorOf(credential.type)
  if (descriptor?.channelled) return [credential]
  return descriptor?.identifiers === 'derived' ? [{ ...credential, config: {} }] : []
}
