import { isNumber } from '../../kernel/base/exact-number.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import type { Json, JsonObject } from '../types.ts'
import { isObject } from '../types.ts'
import { arrayFailures } from './array-rules.ts'
import { combinedFailures } from './combined-rules.ts'
import { type Failure, fail, type Location } from './failure.ts'
import { asString, equal, member, type Rules, type Target, typeOf } from './node.ts'
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
export function evaluate(rules: Rules, schema: Json, value: Json, location: Location): Failure | undefined {
  if (schema === false) return fail(location, '', 'always fail')
  if (!isObject(schema)) return undefined
  if (location.depth > MAX_DEPTH) return fail(location, '', 'the schema refers to itself without end')
  if (rules.budget && --rules.budget.left < 0) throw badRequest('The traits take too much work to be checked.')

  const target = rules.target(schema)
  if (target) return referenceFailure(rules, target, value, location)

  const type = typeFailure(schema, value, location)
  if (type) return type

  const failures = [
    ...valueFailures(schema, value, location),
    ...combinedFailures(evaluate, rules, schema, value, location),
    ...shapeFailures(rules, schema, value, location),
    ...(rules.visit?.(schema, value, location) ?? []),
  ]
  return failures.length > 1 ? fail(location, '', 'validation failed', { causes: failures }) : failures[0]
}

function referenceFailure(rules: Rules, target: Target, value: Json, location: Location): Failure | undefined {
  const cause = evaluate(rules, target.schema, value, { ...location, rule: target.name, depth: location.depth + 1 })
  return cause && fail(location, '$ref', `doesn't validate with ${quoted(target.name)}`, { causes: [cause] })
}

function typeFailure(schema: JsonObject, value: Json, location: Location): Failure | undefined {
  const declared = member(schema, 'type')
  const types = (Array.isArray(declared) ? declared : [declared]).filter((type) => typeof type === 'string')
  const actual = typeOf(value)
  const fits = types.some((type) => type === actual || (type === 'integer' && isNumber(value) && isWhole(value)))
  if (types.length === 0 || fits) return undefined
  return fail(location, 'type', `expected ${types.join(' or ')}, but got ${actual}`, {
    params: { allowed_types: types, actual_type: actual },
  })
}

function valueFailures(schema: JsonObject, value: Json, location: Location): Failure[] {
  const failures: Failure[] = []
  const constant = member(schema, 'const')
  if (constant !== undefined && !equal(value, constant)) {
    const printable = typeof constant !== 'object' || constant === null || isNumber(constant)
    failures.push(
      fail(
        location,
        'const',
        printable ? `value must be ${literal(constant)}` : 'const failed',
        printable ? { params: { expected: literal(constant) } } : {},
      ),
    )
  }
  const options = member(schema, 'enum')
  if (Array.isArray(options) && !options.some((option) => equal(value, option))) {
    failures.push(fail(location, 'enum', optionsText(options)))
  }
  const format = asString(member(schema, 'format'))
  if (format !== undefined && !formatHolds(format, value)) {
    failures.push(
      fail(location, 'format', `${quoted(value)} is not valid ${quoted(format)}`, { params: { value, format } }),
    )
  }
  return failures
}

function optionsText(options: readonly Json[]): string {
  if (options.some((option) => typeof option === 'object' && option !== null && !isNumber(option))) return 'enum failed'
  const texts = options.map(literal)
  return texts.length === 1 ? `value must be ${texts[0]}` : `value must be one of ${texts.join(', ')}`
}

function shapeFailures(rules: Rules, schema: JsonObject, value: Json, location: Location): Failure[] {
  if (Array.isArray(value)) return arrayFailures(evaluate, rules, schema, value, location)
  if (isObject(value)) return objectFailures(evaluate, rules, schema, value, location)
  if (typeof value === 'string') return stringFailures(rules, schema, value, location)
  if (isNumber(value)) return numberFailures(schema, value, location)
  return []
}
