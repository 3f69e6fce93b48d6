import { isNumber } from '../../kernel/base/exact-number.ts'
import { isObject, type Json, type JsonObject } from '../types.ts'
import type { Failure, Location } from './failure.ts'
import { compareNumbers, numberKey } from './numbers.ts'
import type { Pattern } from './patterns.ts'

export interface Target {
  schema: Json
  /** pointer of the schema, with its URL when it stands in another document */
  name: string
}

/** The rules of one compiled document. */
export interface Rules {
  /** the target of a `$ref`; undefined when the schema has none */
  target(schema: JsonObject): Target | undefined
  pattern(text: string): Pattern
  /** values that may still be visited */
  budget?: { left: number } | undefined
  /** called at every value that passed its type, with the schema object in force */
  visit?: ((schema: JsonObject, value: Json, location: Location) => Failure[]) | undefined
}

export type Evaluate = (rules: Rules, schema: Json, value: Json, location: Location) => Failure | undefined

/** A member of its own; never one of the prototype, whatever names a client sends. */
export function member(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** A count of a schema. */
export const asNumber = (value: Json | undefined) => (isNumber(value) ? Number(String(value)) : undefined)
export const asString = (value: Json | undefined) => (typeof value === 'string' ? value : undefined)
export const asArray = (value: Json | undefined) => (Array.isArray(value) ? value : [])
export const asObject = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})

export function typeOf(value: Json): string {
  if (value === null) return 'null'
  if (isNumber(value)) return 'number'
  return Array.isArray(value) ? 'array' : typeof value
}

/** Equality of JSON values; the order of members does not count. */
export function equal(a: Json, b: Json): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]!))
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0
  if (!isObject(a)) return a === b
  if (!isObject(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equal(a[name]!, b[name]!))
  )
}

/** One text for all values that are {@link equal}, and for no others. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (isNumber(value)) return numberKey(value)
  if (!isObject(value)) return typeof value === 'string' ? JSON.stringify(value) : String(value)
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name]!)}`).join()}}`
}

/** The position after a step into the value under another rule. */
export function into(location: Location, rule: string, ...steps: string[]): Location {
  return {
    instance: steps.length === 0 ? location.instance : [...location.instance, ...steps],
    rule: `${location.rule}/${rule}`,
    depth: location.depth + 1,
  }
}
