import type { DerivedTraits, Json, JsonObject, StoredCredential } from '../identities/types.ts'

/** What a factor is judged by. */
export type FactorFacts = Pick<StoredCredential, 'identifiers' | 'config'>

/** A condition in SQL over the `config` of a credential. @param config expression of type jsonb */
export type Condition = (config: string) => string

/** What this server knows of one type of credential. No other place does. */
export interface CredentialDescriptor {
  type: string
  /**
   * - `derived`: taken from the traits that the identity schema marks, and stored normalised
   * - `exact`: given by a provider, and compared as they are
   * - `internal`: nobody signs in with them or searches by them
   */
  identifiers: 'derived' | 'exact' | 'internal'
  /** the member of the schema's mark that says the trait names the person; undefined: the schema has no such mark */
  namedBy?: 'identifier' | 'display_name' | 'account_name'
  /** a trait is marked with a channel (`via`), and its value becomes an address of that channel */
  channelled?: true
  /** the config, where it follows from the traits as well */
  derivedConfig?(derived: DerivedTraits): { config: JsonObject; version: number }
  /** whether it alone lets its owner in; absent: it never does */
  firstFactor?(credential: FactorFacts): boolean
  secondFactor?: {
    isSet(credential: FactorFacts): boolean
    /** The same in SQL. It must hold for configs of this type alone: the statement does not look at the type. */
    sql: Condition
  }
  /** a provider checks who it is, and may have checked both factors */
  provider?: true
  /** whether a row says something; an empty one may only keep its identifiers from others. Absent: it always does */
  isSet?: Condition
  /** the config as operators see it; absent: as it is stored. @param reveal decrypts a text that rests */
  shownConfig?(config: JsonObject, reveal: (text: string) => string): JsonObject
  /** whether an operator may bring one along with a new identity */
  importable?: true
  /**
   * What stays when an operator takes it away: nothing, the row without its config, or with what is left of the config,
   * or all accounts but one (`entry`).
   * Absent: it cannot be taken away.
   */
  removable?: 'row' | 'config' | 'entry' | ((config: JsonObject) => JsonObject)
  /** rows below this version are brought up to it when they are read */
  version?: number
  /** how people call this way to sign in, where this server does not offer it */
  notOffered?: string
}

export const filled = (value: Json | undefined): boolean =>
  Array.isArray(value) ? value.length > 0 : typeof value === 'string' && value !== ''
