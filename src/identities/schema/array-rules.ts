import type { Json, JsonObject } from '../types.ts'
import { type Failure, fail, type Location, MAX_PROBLEMS } from './failure.ts'
import { asNumber, canonical, type Evaluate, into, member, type Rules } from './node.ts'

export function arrayFailures(
  evaluate: Evaluate,
  rules: Rules,
  schema: JsonObject,
  value: readonly Json[],
  location: Location,
): Failure[] {
  return [
    ...sizeFailures(schema, value, location),
    ...itemFailures(evaluate, rules, schema, value, location),
    ...containsFailures(evaluate, rules, schema, value, location),
  ]
}

function sizeFailures(schema: JsonObject, value: readonly Json[], location: Location): Failure[] {
  const failures: Failure[] = []
  const min = asNumber(member(schema, 'minItems'))
  const max = asNumber(member(schema, 'maxItems'))
  if (min !== undefined && value.length < min) {
    failures.push(
      fail(location, 'minItems', `minimum ${min} items allowed, but found ${value.length} items`, {
        params: { min_items: min, actual_items: value.length },
      }),
    )
  }
  if (max !== undefined && value.length > max) {
    failures.push(
      fail(location, 'maxItems', `maximum ${max} items allowed, but found ${value.length} items`, {
        params: { max_items: max, actual_items: value.length },
      }),
    )
  }
  if (member(schema, 'uniqueItems') === true) failures.push(...duplicates(value, location))
  return failures
}

/** Each item with each equal one before it. */
function duplicates(value: readonly Json[], location: Location): Failure[] {
  const failures: Failure[] = []
  const seen = new Map<string, number[]>()
  for (const [b, item] of value.entries()) {
    const text = canonical(item)
    const equals = seen.get(text) ?? []
    for (const a of equals) {
      if (failures.length >= MAX_PROBLEMS) return failures
      const params = { index_a: a, index_b: b }
      failures.push(fail(location, 'uniqueItems', `items at index ${a} and ${b} are equal`, { params }))
    }
    equals.push(b)
    seen.set(text, equals)
  }
  return failures
}

function itemFailures(
  evaluate: Evaluate,
  rules: Rules,
  schema: JsonObject,
  value: readonly Json[],
  location: Location,
): Failure[] {
  const items = member(schema, 'items')
  if (items === undefined) return []
  const failures: Failure[] = []
  const rest = member(schema, 'additionalItems')
  if (Array.isArray(items) && rest === false && value.length > items.length) {
    const counts = `only ${items.length} items are allowed, but found ${value.length} items`
    failures.push(fail(location, 'additionalItems', counts))
  }
  for (const [i, item] of value.entries()) {
    if (failures.length >= MAX_PROBLEMS) break
    const [rule, keyword] = Array.isArray(items)
      ? i < items.length
        ? [items[i]!, `items/${i}`]
        : [rest === false ? true : (rest ?? true), 'additionalItems']
      : [items, 'items']
    const failure = evaluate(rules, rule, item, into(location, keyword, String(i)))
    if (failure) failures.push(failure)
  }
  return failures
}

function containsFailures(
  evaluate: Evaluate,
  rules: Rules,
  schema: JsonObject,
  value: readonly Json[],
  location: Location,
): Failure[] {
  const wanted = member(schema, 'contains')
  if (wanted === undefined) return []
  const causes: Failure[] = []
  for (const [i, item] of value.entries()) {
    const failure = evaluate(rules, wanted, item, into(location, 'contains', String(i)))
    if (!failure) return []
    if (causes.length < MAX_PROBLEMS) causes.push(failure)
  }
  return [fail(location, 'contains', 'contains failed', { causes })]
}
