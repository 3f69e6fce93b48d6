import type { Config } from '../../config/schema/schema.ts'
import { isFirstFactor, secondFactorOf } from '../../credentials/available-aal.ts'
import { FORMATS } from '../../identities/schema/formats.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { FullIdentity } from '../../identities/types.ts'
import { type CodeAddress, codeAddresses, storedSpelling } from './addresses.ts'

export interface CodeOwner {
  identity: FullIdentity
  /** where to send the code: to what was typed, if it is an address of the owner */
  addresses: CodeAddress[]
}

/** The identity that signs in by a code to this identifier. An unknown one costs the same work. */
export async function findCodeOwner(
  identities: Pick<IdentityService, 'findByIdentifier' | 'findByAnyIdentifier'>,
  typed: string,
  fallback: boolean,
): Promise<CodeOwner | undefined> {
  const spelling = storedSpelling(typed)
  const [byCode, byAny] = await Promise.all([
    identities.findByIdentifier('code', spelling),
    fallback ? identities.findByAnyIdentifier(spelling) : undefined,
  ])
  const identity = byCode ?? byAny
  const addresses = identity ? addressesFor(identity, typed, fallback) : []
  return identity && addresses.length > 0 ? { identity, addresses } : undefined
}

/** Empty for an identity that cannot sign in by a code with this identifier. */
export function addressesFor(identity: FullIdentity, typed: string, fallback: boolean): CodeAddress[] {
  const value = storedSpelling(typed)
  const own = codeAddresses(identity, false)
  const named = own.find((one) => one.value === value)
  if (named) return [named]
  if (identity.credentials.some(({ type, identifiers }) => type === 'code' && identifiers.includes(value))) return own
  return fallback && FORMATS.get('email')!(value) ? [{ via: 'email', value }] : []
}

/** Whether the identity has another first, or another second, factor that is switched on. */
export function hasOther(config: Config, identity: FullIdentity, factor: 'firstFactor' | 'secondFactor'): boolean {
  const methods = config.selfservice.methods as Readonly<Record<string, { enabled?: boolean } | undefined>>
  return identity.credentials.some((credential) => {
    if (credential.type === 'code' || !methods[credential.type]?.enabled) return false
    return factor === 'firstFactor'
      ? isFirstFactor(credential, config.selfservice.methods.code)
      : secondFactorOf([credential]) === 'set'
  })
}
