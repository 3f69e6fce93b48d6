import type { Timestamp } from '../kernel/base/clock.ts'
import { isNumber, type JsonNumber } from '../kernel/base/exact-number.ts'

export type Json = null | boolean | JsonNumber | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isNumber(value)

export interface VerifiableAddress {
  id: string
  value: string
  verified: boolean
  via: string
  status: string
  verified_at?: Timestamp
  created_at: Timestamp
  updated_at: Timestamp
}

export interface RecoveryAddress {
  id: string
  value: string
  via: string
  created_at: Timestamp
  updated_at: Timestamp
}

/** An identity as it is stored, without credentials. */
export interface Identity {
  id: string
  schema_id: string
  state: 'active' | 'inactive'
  state_changed_at: Timestamp | null
  traits: JsonObject
  metadata_public: Json
  metadata_admin: Json
  external_id: string | null
  organization_id: string | null
  available_aal: string | null
  created_at: Timestamp
  updated_at: Timestamp
  verifiable_addresses: VerifiableAddress[]
  recovery_addresses: RecoveryAddress[]
}

/** The members that are JSON in the database. */
type JsonMembers = 'traits' | 'metadata_public' | 'metadata_admin' | 'verifiable_addresses' | 'recovery_addresses'

/** An identity as a statement returns it: documents are JSON texts, `null` when empty. */
export type IdentityRow = Omit<Identity, JsonMembers> & { [member in JsonMembers]: string | null }

/** An identity, and one of its addresses. */
export interface AddressOwner {
  identity: Identity
  address: { id: string; via: string; value: string }
}

/** A credential as it is stored. `config` holds secrets: a password hash, a TOTP key. */
export interface StoredCredential {
  id: string
  /** name of the credential type: `password`, `totp`, … */
  type: string
  identifiers: string[]
  config: JsonObject
  version: number
  created_at: Timestamp
  updated_at: Timestamp
}

/** An identity with everything that belongs to it. */
export interface FullIdentity extends Identity {
  credentials: StoredCredential[]
}

/** The identity at a password login; `hash` is absent when no usable password is stored. */
export interface PasswordCredential {
  identity: Identity
  hash: string | undefined
}

/** One input of a form made from a trait of the identity schema, in schema order; `name` is dotted (`traits.name.first`). */
export interface TraitInput {
  name: string
  type: string
  required: boolean
  autocomplete?: string
  pattern?: string
  title?: string
}

/** A violation of the identity schema, as form message (id, text, context) and as schema error line. */
export interface SchemaViolation {
  /** dotted, starting with `traits`, e.g. `traits.email` */
  path: string
  message: { id: number; text: string; type: 'error'; context: JsonObject }
  /** Kratos's text for JSON errors: `I[#/traits/email] S[#/properties/…/format] "x" is not valid "email"` */
  reason: string
}

export interface IdentitySchema {
  id: string
  /** the configured URL, never shown to clients */
  url: string
  /** parsed document, as served at /schemas/{id} */
  document: JsonObject
  inputs: readonly TraitInput[]
  /** dotted names of the traits that are objects, outer ones first */
  objects: readonly string[]
  /** dotted names of the traits that are lists */
  lists: ReadonlySet<string>
  /** of the identifier input at login: title and name of its trait (`traits.email`); undefined when the schema gives none */
  identifierLabel: { title: string; name: string } | undefined
  /** whether a registration or login flow may name it by `identity_schema` */
  selectable: boolean
  /** The form messages about the traits; empty when they are valid. Addresses are checked by `derive`. */
  validate(traits: Json): SchemaViolation[]
  /** Checks the traits, also as addresses, and returns their identifiers and addresses. */
  derive(traits: Json): DerivedTraits | TraitsFailure
}

/** An address of the traits, normalised. */
export interface TraitAddress {
  via: string
  value: string
}

/** Identifiers and addresses in the traits. Values are normalised; each appears once, in schema order. */
export interface DerivedTraits {
  kind: 'derived'
  /** identifiers by credential type; only the types that the schema marks */
  identifiers: ReadonlyMap<string, readonly string[]>
  /** the person's name in authenticators, by credential type; only the types that the schema marks */
  names: ReadonlyMap<string, string>
  codeAddresses: readonly TraitAddress[]
  verifiable: readonly TraitAddress[]
  recovery: readonly TraitAddress[]
}

export interface TraitsFailure {
  kind: 'failure'
  /** the text for JSON errors: all broken rules, one a line */
  reason: string
  violations: readonly SchemaViolation[]
}
