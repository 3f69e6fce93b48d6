import { descriptorOf } from '../credentials/descriptors.ts'
import { compactJson } from '../kernel/base/exact-json.ts'
import { withoutTrailingSlashes } from '../kernel/base/url.ts'
import { encodeSchemaId } from './schema/schemas.ts'
import type { FullIdentity, Identity, IdentityRow, JsonObject, StoredCredential } from './types.ts'

/** Identities as clients see them, member by member: no other part of a row can leak. */
export interface IdentityAnswers {
  /** for the identity itself: no admin metadata, no credentials */
  toPublic(identity: Identity): JsonObject
  /** The JSON text of the same, straight from a row. */
  toPublicText(row: Omit<IdentityRow, 'id'> & { identity_id: string }): string
  /**
   * for operators. `credentials` is present when they were read; their configs only for the types of `include`, because
   * they hold hashes and keys.
   */
  toAdmin(identity: FullIdentity, include?: readonly string[]): JsonObject
}

/**
 * @param publicBaseUrl where clients find the schemas; read at each answer, as a reload may change it
 * @param reveal decrypts a token of a provider
 */
export function createIdentityAnswers(
  publicBaseUrl: () => string,
  reveal: (text: string) => string = () => '',
): IdentityAnswers {
  const schemaUrl = createSchemaUrls(publicBaseUrl)
  return {
    toPublic: (identity) => ({ ...head(identity), ...body(identity, schemaUrl), ...tail(identity) }),
    toPublicText: (row) => publicText(row, schemaUrl(row.schema_id)),
    toAdmin: (identity, include = []) => ({
      ...head(identity),
      ...(identity.credentials.length === 0 ? {} : { credentials: credentials(identity, include, reveal) }),
      ...body(identity, schemaUrl),
      metadata_admin: identity.metadata_admin,
      ...tail(identity),
    }),
  }
}

/** Cached for each base URL, as every answer has one; there are as many as schemas. */
function createSchemaUrls(publicBaseUrl: () => string): (schemaId: string) => string {
  let base = ''
  const urls = new Map<string, string>()
  return (id) => {
    if (publicBaseUrl() !== base) {
      base = publicBaseUrl()
      urls.clear()
    }
    const url = urls.get(id) ?? `${withoutTrailingSlashes(base)}/schemas/${encodeSchemaId(id)}`
    urls.set(id, url)
    return url
  }
}

function head({ id, external_id }: Identity): JsonObject {
  return external_id === null ? { id } : { id, external_id }
}

function body(identity: Identity, schemaUrl: (id: string) => string): JsonObject {
  const { schema_id, state, state_changed_at, traits, metadata_public } = identity
  return {
    schema_id,
    schema_url: schemaUrl(schema_id),
    state,
    ...(state_changed_at === null ? {} : { state_changed_at }),
    traits,
    ...(identity.verifiable_addresses.length === 0
      ? {}
      : { verifiable_addresses: asJson(identity.verifiable_addresses) }),
    ...(identity.recovery_addresses.length === 0 ? {} : { recovery_addresses: asJson(identity.recovery_addresses) }),
    metadata_public,
  }
}

function tail({ created_at, updated_at, organization_id }: Identity): JsonObject {
  return { created_at, updated_at, organization_id }
}

/** Addresses are stored as they are shown. */
const asJson = (addresses: readonly object[]) => addresses.map((address) => ({ ...address }) as JsonObject)

function publicText(row: Omit<IdentityRow, 'id'> & { identity_id: string }, schemaUrl: string): string {
  const external = row.external_id === null ? '' : `"external_id":${JSON.stringify(row.external_id)},`
  const schema = `"schema_id":${JSON.stringify(row.schema_id)},"schema_url":${JSON.stringify(schemaUrl)}`
  const changed = row.state_changed_at === null ? '' : `"state_changed_at":"${row.state_changed_at}",`
  const verifiable = row.verifiable_addresses === null ? '' : `"verifiable_addresses":${row.verifiable_addresses},`
  const recovery = row.recovery_addresses === null ? '' : `"recovery_addresses":${row.recovery_addresses},`
  const organization = row.organization_id === null ? null : `"${row.organization_id}"`
  return (
    `{"id":"${row.identity_id}",${external}${schema},"state":"${row.state}",${changed}"traits":${dense(row.traits, '{}')},` +
    `${verifiable}${recovery}"metadata_public":${dense(row.metadata_public, 'null')},` +
    `"created_at":"${row.created_at}","updated_at":"${row.updated_at}","organization_id":${organization}}`
  )
}

/** The database writes a space after each comma and colon. */
const dense = (text: string | null, otherwise: string) => (text === null ? otherwise : compactJson(text))

function credentials(identity: FullIdentity, include: readonly string[], reveal: (text: string) => string): JsonObject {
  const shown = ({ type, config, version, identifiers }: StoredCredential) =>
    descriptorOf(type)?.shownConfig?.({ config, version, identifiers, identityId: identity.id }, reveal) ?? config
  return Object.fromEntries(
    identity.credentials.map((credential) => {
      const { type, identifiers, version, created_at, updated_at } = credential
      return [
        type,
        {
          type,
          identifiers,
          ...(include.includes(type) ? { config: shown(credential) } : {}),
          version: Math.max(version, descriptorOf(type)?.version ?? 0),
          created_at,
          updated_at,
        },
      ]
    }),
  )
}
