import { normaliseIdentifier } from './normalise.ts'
import type { FullIdentity, RecoveryAddress, TraitAddress, VerifiableAddress } from './types.ts'

/** A caller's statement about an address of the traits. It is ignored if the traits do not hold the address. */
export interface AddressClaim extends TraitAddress {
  verified: boolean
  status: string
  verified_at?: string | undefined
}

interface BuildContext {
  now: string
  newId(): string
}

/** Addresses by their identity, the first of each: callers send lists of any length. */
function byAddress<A extends TraitAddress>(addresses: readonly A[], key: (address: TraitAddress) => string) {
  return new Map(addresses.toReversed().map((address) => [key(address), address]))
}

const exactly = ({ via, value }: TraitAddress) => `${via}\0${value}`
const normalised = ({ via, value }: TraitAddress) => `${via}\0${normaliseIdentifier(value)}`

/** The addresses of the traits: as claimed, else as they were before, else new and not verified. */
export function verifiableAddresses(
  context: BuildContext,
  wanted: readonly TraitAddress[],
  claims: readonly AddressClaim[],
  before: FullIdentity | undefined,
): VerifiableAddress[] {
  const stored = byAddress(before?.verifiable_addresses ?? [], normalised)
  const claimed = byAddress(claims, normalised)
  return wanted.map((address) => {
    const known = stored.get(normalised(address))
    const claim = claimed.get(normalised(address)) ?? known
    const verified = claim?.verified ?? false
    const next = {
      value: address.value,
      verified,
      via: address.via,
      status: claim?.status || (verified ? 'completed' : 'pending'),
      ...(verified ? { verified_at: claim?.verified_at ?? context.now } : {}),
    }
    if (known && sameAddress(known, next)) return known
    const id = context.newId()
    return { id, ...next, created_at: known?.created_at ?? context.now, updated_at: context.now }
  })
}

function sameAddress(a: VerifiableAddress, b: Omit<VerifiableAddress, 'id' | 'created_at' | 'updated_at'>): boolean {
  return a.value === b.value && a.verified === b.verified && a.status === b.status && a.verified_at === b.verified_at
}

export function recoveryAddresses(
  context: BuildContext,
  wanted: readonly TraitAddress[],
  before: FullIdentity | undefined,
): RecoveryAddress[] {
  const stored = byAddress(before?.recovery_addresses ?? [], exactly)
  return wanted.map(({ value, via }) => {
    const known = stored.get(exactly({ value, via }))
    return known ?? { id: context.newId(), value, via, created_at: context.now, updated_at: context.now }
  })
}
