import { availableAal } from '../credentials/available-aal.ts'
import type { CodeUse } from '../credentials/descriptor.ts'
import { descriptorOf } from '../credentials/descriptors.ts'
import type { Timestamp } from '../kernel/base/clock.ts'
import { type AddressClaim, recoveryAddresses, verifiableAddresses } from './addresses.ts'
import { schemaBroken, schemaUnknown, tooLong } from './failures.ts'
import { isLongerThan, MAX_IDENTIFIER } from './normalise.ts'
import { equal } from './schema/node.ts'
import type { Schemas } from './schema/schemas.ts'
import { assertSizes, type IdentityLimits } from './sizes.ts'
import type { DerivedTraits, FullIdentity, Identity, Json, JsonObject, StoredCredential } from './types.ts'

/** An identity as a caller wants it, not checked yet. */
export interface Draft
  extends Pick<Identity, 'state' | 'metadata_public' | 'metadata_admin' | 'external_id' | 'organization_id'> {
  /** of a new one, if it was chosen before */
  id?: string
  schema_id: string
  traits: Json
  credentials: DraftCredential[]
  verifiable: readonly AddressClaim[]
}

/** Identifiers of types that the schema marks are taken from the traits instead. */
export interface DraftCredential extends Pick<StoredCredential, 'type' | 'config' | 'version' | 'identifiers'> {
  /** absent for a new or replaced one */
  created_at?: Timestamp
}

export interface BuildContext {
  schemas: Schemas
  limits: IdentityLimits
  codes: CodeUse
  now: Timestamp
  newId(): string
}

/** The width of the columns; Kratos answers 500 beyond. */
const MAX_ADDRESS = 400
const MAX_EXTERNAL_ID = 64

/**
 * Makes an identity from a draft: checks the traits and derives identifiers and addresses from them. Rows of `before` that need
 * no change keep their ids and times.
 *
 * @throws 400 for an unknown schema, traits that violate it, values too long for their column
 */
export function assemble(context: BuildContext, draft: Draft, before: FullIdentity | undefined): FullIdentity {
  assertSizes(context.limits, draft, before)
  const schema = context.schemas.get(draft.schema_id)
  if (!schema) throw schemaUnknown(draft.schema_id)
  const derived = schema.derive(draft.traits)
  if (derived.kind === 'failure') throw schemaBroken(derived.reason)
  const credentials = assembleCredentials(context, draft.credentials, derived, before?.credentials ?? [])
  const identity: FullIdentity = {
    id: before?.id ?? draft.id ?? context.newId(),
    schema_id: schema.id,
    state: draft.state,
    state_changed_at: before?.state === draft.state ? before.state_changed_at : context.now,
    traits: draft.traits as JsonObject,
    metadata_public: draft.metadata_public,
    metadata_admin: draft.metadata_admin,
    external_id: draft.external_id,
    organization_id: draft.organization_id,
    available_aal: availableAal(credentials, context.codes),
    created_at: before?.created_at ?? context.now,
    updated_at: context.now,
    credentials,
    verifiable_addresses: verifiableAddresses(context, derived.verifiable, draft.verifiable, before),
    recovery_addresses: recoveryAddresses(context, derived.recovery, before),
  }
  assertLengths(identity)
  return identity
}

function assembleCredentials(
  context: BuildContext,
  drafts: readonly DraftCredential[],
  derived: DerivedTraits,
  before: readonly StoredCredential[],
): StoredCredential[] {
  const types = new Set([...drafts.map(({ type }) => type), ...derived.identifiers.keys()])
  return [...types].flatMap((type) => {
    const draft = drafts.find((credential) => credential.type === type)
    const descriptor = descriptorOf(type)
    const identifiers =
      descriptor?.identifiers === 'derived' ? [...(derived.identifiers.get(type) ?? [])] : (draft?.identifiers ?? [])
    if (!draft && identifiers.length === 0) return []
    const { config, version } = descriptor?.derivedConfig?.(derived) ?? { config: {}, version: 0, ...draft }
    const known = before.find((credential) => credential.type === type)
    if (known && draft?.created_at !== undefined && unchanged(known, identifiers, config, version)) return [known]
    const times = { created_at: draft?.created_at ?? context.now, updated_at: context.now }
    return [{ id: context.newId(), type, identifiers, config, version, ...times }]
  })
}

function unchanged(known: StoredCredential, identifiers: string[], config: JsonObject, version: number): boolean {
  return (
    known.version === version &&
    equal([...known.identifiers].sort(), [...identifiers].sort()) &&
    equal(known.config, config)
  )
}

function assertLengths(identity: FullIdentity): void {
  if (identity.external_id !== null && isLongerThan(identity.external_id, MAX_EXTERNAL_ID)) {
    throw tooLong('external_id', MAX_EXTERNAL_ID)
  }
  if (identity.credentials.some(({ identifiers }) => identifiers.some((text) => isLongerThan(text, MAX_IDENTIFIER)))) {
    throw tooLong('An identifier', MAX_IDENTIFIER)
  }
  const addresses = [...identity.verifiable_addresses, ...identity.recovery_addresses]
  if (addresses.some(({ value }) => isLongerThan(value, MAX_ADDRESS))) throw tooLong('An address', MAX_ADDRESS)
}
