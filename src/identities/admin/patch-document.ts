import { descriptorOf, isStoredType } from '../../credentials/descriptors.ts'
import { isUuid } from '../../kernel/base/uuid.ts'
import type { Draft, DraftCredential } from '../draft.ts'
import { patchedStateInvalid, patchInvalid } from '../failures.ts'
import type { FullIdentity, Json, JsonObject } from '../types.ts'
import { isObject } from '../types.ts'
import { readClaim } from './bodies.ts'
import { applyPatch, type Operation, PatchError, readPatch } from './json-patch.ts'

const DENIED = [/^\/id$/, /^\/statechangedat$/, /^\/credentials$/, /^\/credentials\/(?:oidc|saml)(?:\/|$)/, /^$/]

/**
 * The identity that a JSON patch asks for. Ids, times and `schema_url` are not taken from the patched document.
 *
 * @param answer the identity as the admin API shows it, with the configs of its credentials
 * @throws 400
 */
export function patchedDraft(before: FullIdentity, answer: JsonObject, body: Json | undefined): Draft {
  if (body === undefined) throw patchInvalid('invalid state detected')
  try {
    const patch = readPatch(body)
    patch.forEach(refuseDenied)
    return toDraft(before, applyPatch(answer, patch))
  } catch (error) {
    if (error instanceof PatchError) throw patchInvalid(error.message)
    throw error
  }
}

function refuseDenied({ path }: Operation): void {
  const lower = path.toLowerCase()
  if (DENIED.some((denied) => denied.test(lower))) throw new PatchError(`patch includes denied path: ${path}`)
}

function toDraft(before: FullIdentity, document: Json): Draft {
  if (!isObject(document)) throw new PatchError('the patched identity is not an object')
  const { state } = document
  if (state !== 'active' && state !== 'inactive') throw patchedStateInvalid(state)
  const organization = text(document, 'organization_id')
  if (organization !== null && !isUuid(organization)) throw new PatchError('organization_id must be a UUID')
  const addresses = document.verifiable_addresses ?? []
  if (!Array.isArray(addresses)) throw new PatchError('verifiable_addresses must be a list')
  return {
    schema_id: text(document, 'schema_id') ?? before.schema_id,
    traits: document.traits ?? {},
    state,
    metadata_public: document.metadata_public ?? null,
    metadata_admin: document.metadata_admin ?? null,
    external_id: text(document, 'external_id'),
    organization_id: organization,
    credentials: credentials(before, document.credentials ?? {}),
    verifiable: addresses.map(readClaim),
  }
}

function text(document: JsonObject, name: string): string | null {
  const value = document[name] ?? null
  if (value !== null && typeof value !== 'string') throw new PatchError(`${name} must be a string`)
  return value === '' ? null : value
}

function credentials(before: FullIdentity, value: Json): DraftCredential[] {
  if (!isObject(value)) throw new PatchError('credentials must be an object')
  return Object.entries(value).map(([type, entry]) => credential(before, type, entry))
}

function credential(before: FullIdentity, type: string, entry: Json): DraftCredential {
  const known = before.credentials.find((other) => other.type === type)
  if (!isStoredType(type)) throw new PatchError(`credentials.${type} is not a type of credential`)
  if (!isObject(entry) || entry.type !== type) throw new PatchError(`credentials.${type} must have the type "${type}"`)
  const { config = {}, version = 0, identifiers = [] } = entry
  if (known && descriptorOf(type)?.provider) return known
  if (!isObject(config)) throw new PatchError(`credentials.${type}.config must be an object`)
  if (!Number.isInteger(version) || Math.abs(version as number) > 2 ** 31 - 1) {
    throw new PatchError(`credentials.${type}.version must be a whole number`)
  }
  if (!Array.isArray(identifiers) || !identifiers.every((item) => typeof item === 'string')) {
    throw new PatchError(`credentials.${type}.identifiers must be a list of strings`)
  }
  const times = known ? { created_at: known.created_at } : {}
  return { type, config, version: version as number, identifiers: identifiers as string[], ...times }
}
