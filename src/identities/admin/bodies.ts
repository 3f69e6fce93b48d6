import { descriptorOf } from '../../credentials/descriptors.ts'
import { PASSWORD } from '../../credentials/password.ts'
import { type ImportedAccount, OIDC } from '../../credentials/provider-accounts.ts'
import { formatTime, parseTime } from '../../kernel/base/clock.ts'
import { isUuid } from '../../kernel/base/uuid.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import type { AddressClaim } from '../addresses.ts'
import { bodyInvalid, stateInvalid } from '../failures.ts'
import { normaliseIdentifier } from '../normalise.ts'
import type { Identity, Json, JsonObject } from '../types.ts'
import { isObject } from '../types.ts'

/** A password to set: in clear, as hash of any known family, or left to Kratos's migration hook. */
export type PasswordImport = { password: string } | { hash: string } | { hook: true }

/** The content of a body; absent members are undefined. */
export interface IdentityBody {
  schema_id: string | undefined
  traits: Json
  state: Identity['state'] | undefined
  metadata_public: Json
  metadata_admin: Json
  external_id: string | null
  organization_id: string | null
  password: PasswordImport | undefined
  /** at providers */
  accounts: ImportedAccount[]
  verifiable: AddressClaim[]
}

const MEMBERS = [
  'schema_id',
  'traits',
  'credentials',
  'verifiable_addresses',
  'recovery_addresses',
  'metadata_public',
  'metadata_admin',
  'state',
  'organization_id',
  'external_id',
]

/** Reads the body of a creation; unknown members are refused. @throws 400 */
export function readCreateBody(body: unknown): IdentityBody {
  const object = asBody(body)
  assertMembers(object, MEMBERS)
  return readIdentityBody(object)
}

/** Reads the body of a replacement. @throws 400 */
export function readUpdateBody(body: unknown): IdentityBody {
  return readIdentityBody(asBody(body))
}

/** `null` is an object without members to Go, so the error is about the first missing member. */
export function asBody(body: unknown): JsonObject {
  if (body === null) return {}
  if (!isObject(body)) throw badRequest('Expected the request body to be a JSON object.')
  return body
}

export function assertMembers(object: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(object).find((name) => !known.includes(name))
  if (unknown !== undefined) throw bodyInvalid(`json: unknown field ${JSON.stringify(unknown)}`)
}

function readIdentityBody(body: JsonObject): IdentityBody {
  const text = (name: string) => optionalText(body, name)
  return {
    schema_id: text('schema_id') || undefined,
    traits: body.traits ?? {},
    state: readState(text('state')),
    metadata_public: body.metadata_public ?? null,
    metadata_admin: body.metadata_admin ?? null,
    external_id: text('external_id') || null,
    organization_id: readUuid(body, 'organization_id'),
    ...readCredentials(body.credentials ?? null),
    verifiable: list(body, 'verifiable_addresses').map(readClaim),
  }
}

function optionalText(object: JsonObject, name: string): string | undefined {
  const value = object[name] ?? undefined
  if (value !== undefined && typeof value !== 'string') throw bodyInvalid(`${name} must be a string`)
  return value
}

function list(object: JsonObject, name: string): Json[] {
  const value = object[name] ?? []
  if (!Array.isArray(value)) throw bodyInvalid(`${name} must be a list`)
  return value
}

export function readUuid(object: JsonObject, name: string): string | null {
  const value = optionalText(object, name) || null
  if (value !== null && !isUuid(value)) throw bodyInvalid(`${name} must be a UUID`)
  return value
}

export function readState(state: Json | undefined): Identity['state'] | undefined {
  if (state === undefined || state === '') return undefined
  if (state !== 'active' && state !== 'inactive') throw stateInvalid()
  return state
}

const STATUSES = ['', 'pending', 'sent', 'completed']

/** @throws 400 */
export function readClaim(entry: Json): AddressClaim {
  if (!isObject(entry)) throw bodyInvalid('verifiable_addresses must hold objects')
  const status = optionalText(entry, 'status') ?? ''
  if (!STATUSES.includes(status)) throw bodyInvalid('status of an address must be pending, sent or completed')
  const verifiedAt = optionalText(entry, 'verified_at')
  const micros = verifiedAt === undefined ? undefined : parseTime(verifiedAt)
  if (micros !== undefined && !(micros >= 0)) throw bodyInvalid('verified_at of an address must be an RFC 3339 time')
  return {
    value: normaliseIdentifier(optionalText(entry, 'value') ?? ''),
    via: optionalText(entry, 'via') || 'email',
    verified: entry.verified === true,
    status,
    verified_at: micros === undefined ? undefined : formatTime(micros),
  }
}

function readCredentials(credentials: Json): Pick<IdentityBody, 'password' | 'accounts'> {
  if (credentials === null) return { password: undefined, accounts: [] }
  if (!isObject(credentials)) throw bodyInvalid('credentials must be an object')
  const other = Object.keys(credentials).find((type) => !descriptorOf(type)?.importable && credentials[type] !== null)
  if (other !== undefined) {
    throw badRequest(`Only credentials of the types password and oidc can be imported; take out credentials.${other}.`)
  }
  const password = configOf(credentials, PASSWORD)
  const providers = configOf(credentials, OIDC)
  return {
    password: password === undefined ? undefined : readPassword(password),
    accounts: providers === undefined ? [] : readAccounts(providers),
  }
}

function configOf(credentials: JsonObject, type: string): Json | undefined {
  const credential = credentials[type] ?? null
  if (credential === null) return undefined
  if (!isObject(credential)) throw bodyInvalid(`credentials.${type} must be an object`)
  return credential.config ?? {}
}

function readAccounts(config: Json): ImportedAccount[] {
  if (!isObject(config)) throw bodyInvalid('credentials.oidc.config must be an object')
  return list(config, 'providers').map((entry) => {
    if (!isObject(entry)) throw bodyInvalid('providers must hold objects')
    assertMembers(entry, ['provider', 'subject', 'organization', 'use_auto_link'])
    const organization = readUuid(entry, 'organization')
    return {
      subject: optionalText(entry, 'subject') ?? '',
      provider: optionalText(entry, 'provider') ?? '',
      ...(organization === null ? {} : { organization }),
      ...(entry.use_auto_link === true ? { use_auto_link: true } : {}),
    }
  })
}

function readPassword(config: Json): PasswordImport {
  if (!isObject(config)) throw bodyInvalid('credentials.password.config must be an object')
  if (config.use_password_migration_hook === true) return { hook: true }
  const password = optionalText(config, 'password') ?? ''
  return password === '' ? { hash: optionalText(config, 'hashed_password') ?? '' } : { password }
}
