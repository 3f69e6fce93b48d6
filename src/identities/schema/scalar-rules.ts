import { isNumber, type JsonNumber } from '../../kernel/base/exact-number.ts'
import type { Json, JsonObject } from '../types.ts'
import { type Failure, fail, type Location } from './failure.ts'
import { FORMATS } from './formats.ts'
import { asNumber, asString, member, type Rules } from './node.ts'
import { compareNumbers, isMultiple } from './numbers.ts'
import { plainNumber, quoted } from './print.ts'

/** A known format holds for texts only; an unknown one holds always. */
export function formatHolds(format: string, value: Json): boolean {
  const check = FORMATS.get(format)
  return check === undefined || format === 'no-validate' || (typeof value === 'string' && check(value))
}

export function stringFailures(rules: Rules, schema: JsonObject, value: string, location: Location): Failure[] {
  const failures: Failure[] = []
  const min = asNumber(member(schema, 'minLength'))
  const max = asNumber(member(schema, 'maxLength'))
  if (min !== undefined || max !== undefined) {
    const length = [...value].length
    if (min !== undefined && length < min) {
      failures.push(
        fail(location, 'minLength', `length must be >= ${min}, but got ${length}`, {
          params: { min_length: min, actual_length: length },
        }),
      )
    }
    if (max !== undefined && length > max) {
      failures.push(
        fail(location, 'maxLength', `length must be <= ${max}, but got ${length}`, {
          params: { max_length: max, actual_length: length },
        }),
      )
    }
  }
  const pattern = asString(member(schema, 'pattern'))
  if (pattern !== undefined && !rules.pattern(pattern).test(value)) {
    failures.push(fail(location, 'pattern', `does not match pattern ${quoted(pattern)}`, { params: { pattern } }))
  }
  return failures
}

const LIMITS: [keyword: string, name: string, sign: string, holds: (order: number) => boolean][] = [
  ['minimum', 'minimum', '>=', (order) => order >= 0],
  ['exclusiveMinimum', 'minimum', '>', (order) => order > 0],
  ['maximum', 'maximum', '<=', (order) => order <= 0],
  ['exclusiveMaximum', 'maximum', '<', (order) => order < 0],
]

export function numberFailures(schema: JsonObject, value: JsonNumber, location: Location): Failure[] {
  const failures: Failure[] = []
  for (const [keyword, name, sign, holds] of LIMITS) {
    const limit = member(schema, keyword)
    if (isNumber(limit) && !holds(compareNumbers(value, limit))) {
      failures.push(
        fail(location, keyword, `must be ${sign} ${plainNumber(limit)} but found ${value}`, {
          params: { actual: value, [name]: limit },
        }),
      )
    }
  }
  const base = member(schema, 'multipleOf')
  if (isNumber(base) && !isMultiple(value, base)) {
    failures.push(
      fail(location, 'multipleOf', `${value} not multipleOf ${plainNumber(base)}`, { params: { base, actual: value } }),
    )
  }
  return failures
}
