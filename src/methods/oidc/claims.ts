import { isObject, type Json, type JsonObject } from '../../identities/types.ts'
import { isNumber } from '../../kernel/base/exact-number.ts'
import { untrustworthy } from './errors.ts'

/** What a provider says about a person, as claims of OpenID Connect; empty members are left out. Mappers read it. */
export type Claims = JsonObject

/** They say who it is: nothing is guessed. @see OpenID Connect Core 1.0 §2 */
const STRICT = ['iss', 'sub', 'oid', 'nonce']
const TEXTS = [
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
  for (const name of STRICT) if (typeof said[name] === 'string') put(claims, name, said[name])
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
  return value !== undefined && isNumber(value) ? String(value) : undefined
}

/** Apple and Cognito send booleans as texts. Whatever else might be meant is not the word of the provider. */
const isTrue = (value: Json | undefined) => value === true || value === 'true'

/** LinkedIn sends language and country. */
function localeOf(value: Json | undefined): string | undefined {
  if (!isObject(value)) return textOf(value)
  return [member(value, 'language'), member(value, 'country')].map(textOf).filter(Boolean).join('-')
}

/** Auth0 and Salesforce send a time as text. */
function secondsOf(value: Json | undefined): number | undefined {
  const text = textOf(value) ?? ''
  const seconds = text === '' || Number.isNaN(Number(text)) ? Date.parse(text) / 1000 : Number(text)
  return Number.isFinite(seconds) ? Math.trunc(seconds) : undefined
}

/** A member of an object, or an element of a list by its number. */
export function member(of: Json | undefined, name: string): Json | undefined {
  if (Array.isArray(of)) return of[Number(name)]
  return isObject(of) && Object.hasOwn(of, name) ? of[name] : undefined
}

/** The text at a path of members; empty where there is none. */
export function textAt(of: Json | undefined, ...path: string[]): string {
  return textOf(path.reduce(member, of)) ?? ''
}

/** @param allowed ids of tenants, lower case; undefined: all. @throws HttpError 400 for a person of another */
export function assertTenant({ raw_claims: raw }: Claims, allowed: readonly string[] | undefined): void {
  const tenant = String(member(raw, 'tid')).toLowerCase()
  if (allowed && !allowed.includes(tenant)) {
    throw untrustworthy('Accounts of your organization are not allowed to sign in here.')
  }
}
