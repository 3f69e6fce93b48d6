import { normaliseIdentifier, normalisePhone } from '../../identities/normalise.ts'
import type { DerivedTraits, FullIdentity, Json, JsonObject } from '../../identities/types.ts'

/** Where a code can be sent, in stored form. */
export interface CodeAddress {
  via: 'email' | 'sms'
  value: string
}

/** The stored form of an address, whichever kind it is. */
export const storedSpelling = (typed: string): string => normalisePhone(typed) ?? normaliseIdentifier(typed)

/**
 * Where codes for this person go: what the credential says, and without one, where that is allowed, any address that
 * could be verified.
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
  const { config, version, identifiers } = credential
  // Rows of old versions name the channel alone; their identifiers are the addresses.
  if (version === 0 && config.addresses === undefined) {
    const via = config.address_type === 'sms' ? 'sms' : 'email'
    return identifiers.filter((value) => value !== '').map((value) => ({ via, value }))
  }
  return Array.isArray(config.addresses) ? config.addresses.flatMap(readAddress) : []
}

function readAddress(entry: Json): CodeAddress[] {
  const { address: value, channel } = Object(entry) as JsonObject
  return typeof value === 'string' && value !== '' ? address(channel, value) : []
}

const address = (via: Json | undefined, value: string): CodeAddress[] =>
  via === 'email' || via === 'sms' ? [{ via, value }] : []
