import type { DerivedTraits, Json, JsonObject, StoredCredential } from '../identities/types.ts'

/** The facts by which a credential counts as a factor. */
export type FactorFacts = Pick<StoredCredential, 'identifiers' | 'config'>

/** A config as it is stored, and the identity it belongs to. */
export interface StoredConfig extends Pick<StoredCredential, 'config' | 'version' | 'identifiers'> {
  identityId: string
}

/** What codes that are sent are for, as `selfservice.methods.code` says. */
export interface CodeUse {
  passwordless_enabled: boolean
  mfa_enabled: boolean
}

/** A condition in SQL over the `config` of a credential. @param config expression of type jsonb */
export type Condition = (config: string) => string

/** Everything this server knows of one type of credential. */
export interface CredentialDescriptor {
  type: string
  /**
   * - `derived`: taken from the traits that the identity schema marks, and stored normalised
   * - `exact`: given by a provider, and compared as they are
   * - `internal`: not used to sign in, and not searched by
   */
  identifiers: 'derived' | 'exact' | 'internal'
  /** the member of the schema's mark that makes a trait an identifier; undefined: the schema has no such mark */
  namedBy?: 'identifier' | 'display_name' | 'account_name'
  /** a trait is marked with a channel (`via`), and its value becomes an address of that channel */
  channelled?: true
  /** the config, where it follows from the traits as well */
  derivedConfig?(derived: DerivedTraits): { config: JsonObject; version: number }
  /** whether it alone is enough to sign in; absent: never */
  firstFactor?(credential: FactorFacts, codes: CodeUse): boolean
  secondFactor?: {
    isSet(credential: FactorFacts): boolean
    /** every identity with an address has it: it counts while `mfa_enabled` of codes is on */
    optional?: true
    /** The same in SQL. It must hold for configs of this type alone: the statement does not look at the type. */
    sql: Condition
  }
  /** a provider authenticates the person, and may have checked both factors */
  provider?: true
  /** whether a row holds a credential; an empty one may only reserve its identifiers. Absent: it always does */
  isSet?: Condition
  /** the config as operators see it; absent: as it is stored. @param reveal decrypts a stored text */
  shownConfig?(stored: StoredConfig, reveal: (text: string) => string): JsonObject
  /** whether an operator may import one with a new identity */
  importable?: true
  /**
   * What is left when an operator removes it: nothing, the row without its config or with the config that the function returns,
   * or all accounts but one (`entry`).
   * Absent: it cannot be removed.
   */
  removable?: 'row' | 'config' | 'entry' | ((config: JsonObject) => JsonObject)
  /** keys (WebAuthn), of which some are enough to sign in with */
  holdsKeys?: true
  /** rows below this version are brought up to it when they are read */
  version?: number
  /** the name of this way to sign in, for messages where this server does not offer it */
  notOffered?: string
}

export const filled = (value: Json | undefined): boolean =>
  Array.isArray(value) ? value.length > 0 : typeof value === 'string' && value !== ''
