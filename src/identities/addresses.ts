import { normaliseIdentifier } from './normalise.ts'
import type { FullIdentity, RecoveryAddress, TraitAddress, VerifiableAddress } from './types.ts'

/** What someone says about an address of the traits. One that the traits do not hold is ignored. */
export interface AddressClaim extends TraitAddress {
  verified: boolean
  status: string
  verified_at?: string | undefined
}

interface Maker {
  now: string
  newId(): string
}

const same = (a: TraitAddress) => (b: TraitAddress) =>
  a.via === b.via && normaliseIdentifier(a.value) === normaliseIdentifier(b.value)

/** The addresses of the traits: as claimed, else as they were, else new and not verified. */
export function verifiableAddresses(
  maker: Maker,
  wanted: readonly TraitAddress[],
  claims: readonly AddressClaim[],
  before: FullIdentity | undefined,
): VerifiableAddress[] {
  return wanted.map((address) => {
    const known = before?.verifiable_addresses.find(same(address))
    const claim = claims.find(same(address)) ?? known
    const verified = claim?.verified ?? false
    const next = {
      ...{ value: address.value, verified, via: address.via },
      status: claim?.status || (verified ? 'completed' : 'pending'),
      ...(verified ? { verified_at: claim?.verified_at ?? maker.now } : {}),
    }
    if (known && sameAddress(known, next)) return known
    const id = maker.newId()
    return { id, ...next, created_at: known?.created_at ?? maker.now, updated_at: maker.now }
  })
}

function sameAddress(a: VerifiableAddress, b: Omit<VerifiableAddress, 'id' | 'created_at' | 'updated_at'>): boolean {
  return a.value === b.value && a.verified === b.verified && a.status === b.status && a.verified_at === b.verified_at
}

export function recoveryAddresses(
  maker: Maker,
  wanted: readonly TraitAddress[],
  before: FullIdentity | undefined,
): RecoveryAddress[] {
  return wanted.map(({ value, via }) => {
    const known = before?.recovery_addresses.find((other) => other.via === via && other.value === value)
    return known ?? { id: maker.newId(), value, via, created_at: maker.now, updated_at: maker.now }
  })
}
