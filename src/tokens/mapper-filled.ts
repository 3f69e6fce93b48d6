import { isObject, type Json, type JsonObject } from '../identities/types.ts'
import { readJson } from '../kernel/base/exact-json.ts'
import { isNumber } from '../kernel/base/exact-number.ts'
import type { ClaimsMapper, MapperInput } from './types.ts'

const PLACEHOLDER = /\{\{\s*((?:session|claims)(?:\.[A-Za-z0-9_-]+)*)\s*\}\}/g
const WHOLE = new RegExp(`^${PLACEHOLDER.source}$`)

/**
 * Reads a claims mapper: JSON of the form `{"claims": {…}}`. A text that consists of one placeholder such as
 * `{{ session.identity.traits.email }}` becomes the value at that path, whatever its type, or null where there is none; inside
 * a longer text the value must be a text, a number or a boolean. List items have numbers: `{{ session.devices.0.ip_address }}`.
 *
 * @throws Error whose message follows the name of the file
 */
export function parseFilledMapper(text: string): ClaimsMapper {
  const claims = parse(text)
  checkPlaceholders(claims)
  return (input) => fill(claims, input) as JsonObject
}

function parse(text: string): JsonObject {
  const document = readJson(text) as Json
  const claims = isObject(document) ? document.claims : undefined
  if (!isObject(claims)) throw new Error('has no member "claims" that is an object')
  return claims
}

/** A misspelt placeholder would otherwise end up in tokens as it stands. */
function checkPlaceholders(value: Json): void {
  if (typeof value === 'string') {
    const rest = /\{\{[^}]{0,200}\}\}/.exec(value.replace(PLACEHOLDER, ''))
    if (rest) throw new Error(`has ${rest[0]}, which begins neither with session. nor with claims.`)
  } else if (typeof value === 'object' && value !== null && !isNumber(value))
    Object.values(value).forEach(checkPlaceholders)
}

function fill(value: Json, input: MapperInput): Json {
  if (typeof value === 'string') return fillText(value, input)
  if (Array.isArray(value)) return value.map((entry) => fill(entry, input))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, fill(entry, input)]))
}

function fillText(text: string, input: MapperInput): Json {
  const whole = WHOLE.exec(text)
  if (whole) return at(input, whole[1]!)
  return text.replace(PLACEHOLDER, (_, path: string) => {
    const value = at(input, path)
    if (value === null || (typeof value === 'object' && !isNumber(value)))
      throw new Error(`${path} is no text, number or boolean`)
    return String(value)
  })
}

function at(input: MapperInput, path: string): Json {
  let value: unknown = input
  for (const step of path.split('.')) {
    // own members only: `constructor` is no claim
    if (typeof value !== 'object' || value === null || isNumber(value) || !Object.hasOwn(value, step)) return null
    value = (value as Record<string, unknown>)[step]
  }
  return (value ?? null) as Json
}
