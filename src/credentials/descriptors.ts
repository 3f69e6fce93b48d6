import type { JsonObject } from '../identities/types.ts'
import { type Key, keyRingOf, upgradedKeys } from '../webauthn/keys.ts'
import { upgradedCodes } from './code.ts'
import { type CredentialDescriptor, type FactorFacts, filled } from './descriptor.ts'
import { shownAccounts } from './provider-accounts.ts'

const hasText = (member: string) => (config: string) => `coalesce(${config} ->> '${member}', '') <> ''`
const hasElements = (member: string) => (config: string) => `${config} @? '$.${member}[*]'`

const provider = (type: string): CredentialDescriptor => ({
  type,
  identifiers: 'exact',
  provider: true,
  removable: 'entry',
  firstFactor: ({ identifiers, config }) => filled(identifiers) && filled(config.providers),
  isSet: hasElements('providers'),
  shownConfig: shownAccounts,
})

/** An entry that cannot be read as a key is no way to sign in. */
const letsIn = ({ config }: FactorFacts, isEnough: (key: Key) => boolean): boolean =>
  keyRingOf({ config, version: 1 }, '').keys.some(isEnough)

/** A key without a stated purpose counts as a second factor, as in Kratos; so does one that cannot be read. */
function isSecondFactorKey({ config }: FactorFacts): boolean {
  const list = Array.isArray(config.credentials) ? config.credentials : []
  return list.some((key) => (Object(key) as JsonObject).is_passwordless !== true)
}

/** Passwordless keys stay: an operator removes second factors. */
function withoutSecondFactors({ credentials, ...config }: JsonObject): JsonObject {
  const list = Array.isArray(credentials) ? credentials : []
  const left = list.filter((key) => (Object(key) as JsonObject).is_passwordless === true)
  return left.length === 0 ? config : { ...config, credentials: left }
}

/** Rows of old versions name the channel alone. */
const hasAddress = ({ addresses, address_type: channel }: JsonObject) => filled(addresses) || filled(channel)

/** The types that rows of `identity_credential_types` stand for. */
export const DESCRIPTORS: readonly CredentialDescriptor[] = [
  {
    type: 'password',
    identifiers: 'derived',
    namedBy: 'identifier',
    firstFactor: ({ identifiers, config }) => filled(identifiers) && filled(config.hashed_password),
    isSet: hasText('hashed_password'),
    importable: true,
    // The row reserves the identifier.
    removable: 'config',
  },
  { ...provider('oidc'), importable: true },
  { ...provider('saml'), notOffered: 'SAML' },
  {
    type: 'totp',
    identifiers: 'internal',
    namedBy: 'account_name',
    secondFactor: { isSet: ({ config }) => filled(config.totp_url), sql: hasText('totp_url') },
    isSet: hasText('totp_url'),
    removable: 'row',
  },
  {
    type: 'lookup_secret',
    identifiers: 'internal',
    secondFactor: {
      isSet: ({ config }) => filled(config.recovery_codes),
      sql: (config) => `coalesce(${config} -> 'recovery_codes', 'null') not in ('null', '[]')`,
    },
    isSet: (config) => `coalesce(${config} -> 'recovery_codes', 'null') not in ('null', '[]')`,
    removable: 'row',
  },
  {
    type: 'webauthn',
    identifiers: 'derived',
    namedBy: 'identifier',
    firstFactor: (credential) => letsIn(credential, ({ passwordless }) => passwordless),
    secondFactor: {
      isSet: isSecondFactorKey,
      sql: (config) => `${config} @? '$.credentials[*] ? (@.is_passwordless != true)'
    or ${config} @? '$.credentials[*] ? (!exists(@.is_passwordless))'`,
    },
    isSet: hasElements('credentials'),
    removable: withoutSecondFactors,
    holdsKeys: true,
    version: 1,
    shownConfig: upgradedKeys,
  },
  {
    type: 'passkey',
    identifiers: 'internal',
    namedBy: 'display_name',
    firstFactor: (credential) => letsIn(credential, () => true),
    isSet: hasElements('credentials'),
    holdsKeys: true,
  },
  {
    type: 'code',
    identifiers: 'derived',
    namedBy: 'identifier',
    channelled: true,
    derivedConfig: ({ codeAddresses }) => ({
      config: { addresses: codeAddresses.map(({ via, value }) => ({ channel: via, address: value })) },
      version: 1,
    }),
    firstFactor: ({ config }, codes) => codes.passwordless_enabled && hasAddress(config),
    secondFactor: {
      isSet: ({ config }) => hasAddress(config),
      optional: true,
      sql: (config) => `${config} @? '$.addresses[*]' or coalesce(${config} ->> 'address_type', '') <> ''`,
    },
    version: 1,
    shownConfig: upgradedCodes,
  },
]

/** Kratos knows these two as well, although nothing is ever stored under them. */
const NEVER_STORED = ['link_recovery', 'code_recovery']

const byType = new Map(DESCRIPTORS.map((descriptor) => [descriptor.type, descriptor]))

export const descriptorOf = (type: string): CredentialDescriptor | undefined => byType.get(type)
export const isStoredType = (name: string) => byType.has(name)
export const isCredentialType = (name: string) => byType.has(name) || NEVER_STORED.includes(name)

/** The types for which something holds, in the order of {@link DESCRIPTORS}. */
export const typesWhere = (holds: (descriptor: CredentialDescriptor) => unknown): string[] =>
  DESCRIPTORS.filter(holds).map(({ type }) => type)
