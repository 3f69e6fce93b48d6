import type { JsonObject, StoredCredential } from '../identities/types.ts'

/** Rows of old versions hold the channel alone: their identifiers are the addresses. */
export function upgradedCodes({
  config,
  version,
  identifiers,
}: Pick<StoredCredential, 'config' | 'version' | 'identifiers'>): JsonObject {
  if (version > 0) return config
  const { address_type: type, used_at: _, ...others } = config
  const channel = typeof type === 'string' && type.trim().toLowerCase() === 'sms' ? 'sms' : 'email'
  const own = Array.isArray(others.addresses) ? others.addresses : []
  const added = identifiers.filter((address) => address !== '').map((address) => ({ channel, address }))
  const addresses = [...own, ...added]
  return addresses.length > 0 ? { ...others, addresses } : others
}
