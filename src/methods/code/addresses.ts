import { upgradedCodes } from '../../credentials/code.ts'
import { asciiAddress } from '../../identities/domains.ts'
import { normaliseIdentifier, normalisePhone } from '../../identities/normalise.ts'
import type { DerivedTraits, FullIdentity, Json, JsonObject } from '../../identities/types.ts'

/** Where a code can be sent, in stored form. */
export interface CodeAddress {
  via: 'email' | 'sms'
  value: string
}

/** The stored form of an address, whichever kind it is. */
export const storedSpelling = (typed: string): string =>
  normalisePhone(typed) ?? normaliseIdentifier(asciiAddress(typed))

/**
 * Where codes for this identity are sent: the addresses of the credential; without one, if that is allowed, every
 * verifiable address.
 */
export function codeAddresses(identity: FullIdentity, fallback: boolean): CodeAddress[] {
  const own = credentialAddresses(identity)
  if (own.length > 0 || !fallback) return own
  return identity.verifiable_addresses.flatMap(({ via, value }) => (value === '' ? [] : address(via, value)))
}

/** The addresses that the schema marks in the traits. */
export const traitAddresses = ({ codeAddresses: marked }: DerivedTraits): CodeAddress[] =>
  marked.flatMap(({ via, value }) => address(via, value))

function credentialAddresses({ credentials }: FullIdentity): CodeAddress[] {
  const credential = credentials.find(({ type }) => type === 'code')
  if (!credential) return []
  const { addresses } = upgradedCodes(credential)
  return Array.isArray(addresses) ? addresses.flatMap(readAddress) : []
}

function readAddress(entry: Json): CodeAddress[] {
  const { address: value, channel } = Object(entry) as JsonObject
  return typeof value === 'string' && value !== '' ? address(channel, value) : []
}

const address = (via: Json | undefined, value: string): CodeAddress[] =>
  via === 'email' || via === 'sms' ? [{ via, value }] : []
