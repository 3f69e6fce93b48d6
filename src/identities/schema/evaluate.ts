import { isNumber } from '../../kernel/base/exact-number.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import type { Json, JsonObject } from '../types.ts'
import { arrayFailures } from './array-rules.ts'
import { combinedFailures } from './combined-rules.ts'
import { type Failure, fail, type Place } from './failure.ts'
import { asString, equal, isObject, member, type Rules, type Target, typeOf } from './node.ts'
import { isWhole } from './numbers.ts'
import { objectFailures } from './object-rules.ts'
import { literal, quoted } from './print.ts'
import { formatHolds, numberFailures, stringFailures } from './scalar-rules.ts'

/** Deeper than any body may nest; only a schema with an endless reference to itself gets there. */
const MAX_DEPTH = 300

/**
 * Values that one evaluation visits. A schema that refers to itself in two places doubles its work with each level of
 * the value; without that, even the largest traits stay far below.
 */
export const MAX_LOOKS = 50_000

/**
 * Evaluates a value against a draft-07 schema. All rules are tried, in the order in which Kratos tries them, because
 * the order and the shape of the tree are visible in answers; only a wrong type stops the work at a value.
 *
 * @see docs/adr/0007-identity-schemas.md for why this is not left to the validator library
 */
export function evaluate(rules: Rules, schema: Json, value: Json, place: Place): Failure | undefined {
  if (schema === false) return fail(place, '', 'always fail')
  if (!isObject(schema)) return undefined
  if (place.depth > MAX_DEPTH) return fail(place, '', 'the schema refers to itself without end')
  if (rules.budget && --rules.budget.left < 0) throw badRequest('The traits take too much work to be checked.')

  const target = rules.target(schema)
  if (target) return referenceFailure(rules, target, value, place)

  const type = typeFailure(schema, value, place)
  if (type) return type

  const failures = [
    ...valueFailures(schema, value, place),
    ...combinedFailures(evaluate, rules, schema, value, place),
    ...shapeFailures(rules, schema, value, place),
    ...(rules.visit?.(schema, value, place) ?? []),
  ]
  return failures.length > 1 ? fail(place, '', 'validation failed', { causes: failures }) : failures[0]
}

function referenceFailure(rules: Rules, target: Target, value: Json, place: Place): Failure | undefined {
  const cause = evaluate(rules, target.schema, value, { ...place, rule: target.name, depth: place.depth + 1 })
  return cause && fail(place, '$ref', `doesn't validate with ${quoted(target.name)}`, { causes: [cause] })
}

function typeFailure(schema: JsonObject, value: Json, place: Place): Failure | undefined {
  const declared = member(schema, 'type')
  const types = (Array.isArray(declared) ? declared : [declared]).filter((type) => typeof type === 'string')
  const actual = typeOf(value)
  const fits = types.some((type) => type === actual || (type === 'integer' && isNumber(value) && isWhole(value)))
  if (types.length === 0 || fits) return undefined
  return fail(place, 'type', `expected ${types.join(' or ')}, but got ${actual}`, {
    params: { allowed_types: types, actual_type: actual },
  })
}

function valueFailures(schema: JsonObject, value: Json, place: Place): Failure[] {
  const failures: Failure[] = []
  const constant = member(schema, 'const')
  if (constant !== undefined && !equal(value, constant)) {
    const printable = typeof constant !== 'object' || constant === null || isNumber(constant)
    failures.push(
      fail(
        place,
        'const',
        printable ? `value must be ${literal(constant)}` : 'const failed',
        printable ? { params: { expected: literal(constant) } } : {},
      ),
    )
  }
  const options = member(schema, 'enum')
  if (Array.isArray(options) && !options.some((option) => equal(value, option))) {
    failures.push(fail(place, 'enum', optionsText(options)))
  }
  const format = asString(member(schema, 'format'))
  if (format !== undefined && !formatHolds(format, value)) {
    failures.push(
      fail(place, 'format', `${quoted(value)} is not valid ${quoted(format)}`, { params: { value, format } }),
    )
  }
  return failures
}

function optionsText(options: readonly Json[]): string {
  if (options.some((option) => typeof option === 'object' && option !== null && !isNumber(option))) return 'enum failed'
  const texts = options.map(literal)
  return texts.length === 1 ? `value must be ${texts[0]}` : `value must be one of ${texts.join(', ')}`
}

function shapeFailures(rules: Rules, schema: JsonObject, value: Json, place: Place): Failure[] {
  if (Array.isArray(value)) return arrayFailures(evaluate, rules, schema, value, place)
  if (isObject(value)) return objectFailures(evaluate, rules, schema, value, place)
  if (typeof value === 'string') return stringFailures(rules, schema, value, place)
  if (isNumber(value)) return numberFailures(schema, value, place)
  return []
}
