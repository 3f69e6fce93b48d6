import type { Json, JsonObject } from '../../identities/types.ts'

/** What a provider says about a person, as claims of OpenID Connect; empty members are left out. Mappers read it. */
export type Claims = JsonObject

const TEXTS = [
  'iss',
  'sub',
  'oid',
  'name',
  'given_name',
  'family_name',
  'last_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'profile',
  'picture',
  'website',
  'email',
  'gender',
  'birthdate',
  'zoneinfo',
  'phone_number',
  'hd',
  'team',
  'nonce',
  'acr',
]
const FLAGS = ['email_verified', 'phone_number_verified', 'nonce_supported']

/**
 * The known claims in the types that mappers expect. Providers send numbers, `"true"` or `null` instead of a text or a
 * boolean; an unreadable one is left out, and does not fail the sign-in.
 *
 * @param raw kept as a whole as `raw_claims`
 */
export function toClaims(said: JsonObject, raw?: JsonObject): Claims {
  const claims: Claims = {}
  for (const name of TEXTS) put(claims, name, textOf(said[name]))
  for (const name of FLAGS) put(claims, name, isTrue(said[name]))
  put(claims, 'locale', localeOf(said.locale))
  put(claims, 'updated_at', secondsOf(said.updated_at))
  if (Array.isArray(said.amr)) put(claims, 'amr', said.amr.filter((one) => typeof one === 'string') as Json)
  if (raw !== undefined) claims.raw_claims = raw
  return claims
}

function put(claims: Claims, name: string, value: Json | undefined): void {
  if (value !== undefined && value !== '' && value !== false && value !== 0) claims[name] = value
}

function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' ? String(value) : undefined
}

/** Apple and Cognito send booleans as texts. */
const isTrue = (value: Json | undefined) => value === true || value === 1 || /^true$/i.test(textOf(value) ?? '')

/** LinkedIn sends language and country. */
function localeOf(value: Json | undefined): string | undefined {
  if (value === null || typeof value !== 'object') return textOf(value)
  return [member(value, 'language'), member(value, 'country')].map(textOf).filter(Boolean).join('-')
}

/** Auth0 and Salesforce send a time as text. */
function secondsOf(value: Json | undefined): number | undefined {
  const seconds = typeof value === 'string' && !/^\d+$/.test(value) ? Date.parse(value) / 1000 : Number(value)
  return Number.isFinite(seconds) && typeof value !== 'boolean' && value !== null ? Math.trunc(seconds) : undefined
}

/** A member of an object, or an element of a list by its number. */
export function member(of: Json | undefined, name: string): Json | undefined {
  if (of === null || typeof of !== 'object') return undefined
  return Array.isArray(of) ? of[Number(name)] : (of as JsonObject)[name]
}

/** The text at a path of members; empty where there is none. */
export function textAt(of: Json | undefined, ...path: string[]): string {
  return textOf(path.reduce(member, of)) ?? ''
}
