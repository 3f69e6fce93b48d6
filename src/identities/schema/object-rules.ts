import type { Json, JsonObject } from '../types.ts'
import { type Failure, fail, type Location, MAX_PROBLEMS, pointerStep } from './failure.ts'
import { asArray, asNumber, asObject, type Evaluate, into, member, type Rules } from './node.ts'
import { quoted } from './print.ts'

type Rule = [schema: Json, keyword: string]

export function objectFailures(
  evaluate: Evaluate,
  rules: Rules,
  schema: JsonObject,
  value: JsonObject,
  location: Location,
): Failure[] {
  return [
    ...countFailures(schema, value, location),
    ...requiredFailures(schema, value, location),
    ...memberFailures(evaluate, rules, schema, value, location),
    ...dependencyFailures(evaluate, rules, schema, value, location),
  ]
}

function countFailures(schema: JsonObject, value: JsonObject, location: Location): Failure[] {
  const failures: Failure[] = []
  const count = Object.keys(value).length
  const min = asNumber(member(schema, 'minProperties'))
  const max = asNumber(member(schema, 'maxProperties'))
  if (min !== undefined && count < min) {
    failures.push(fail(location, 'minProperties', `minimum ${min} properties allowed, but found ${count} properties`))
  }
  if (max !== undefined && count > max) {
    failures.push(fail(location, 'maxProperties', `maximum ${max} properties allowed, but found ${count} properties`))
  }
  return failures
}

function requiredFailures(schema: JsonObject, value: JsonObject, location: Location): Failure[] {
  const missing = asArray(member(schema, 'required')).filter(
    (name): name is string => typeof name === 'string' && !Object.hasOwn(value, name),
  )
  if (missing.length === 0) return []
  return [fail(location, 'required', `missing properties: ${missing.map(quoted).join(', ')}`, { missing })]
}

/** Declared members first, in the order of the schema; then patterns; what is left over is additional. */
function memberFailures(
  evaluate: Evaluate,
  rules: Rules,
  schema: JsonObject,
  value: JsonObject,
  location: Location,
): Failure[] {
  const failures: Failure[] = []
  const left = new Set(Object.keys(value))
  const apply = (name: string, [rule, keyword]: Rule) => {
    left.delete(name)
    const failure = evaluate(rules, rule, value[name]!, into(location, keyword, name))
    if (failure) failures.push(failure)
  }
  const enough = () => failures.length >= MAX_PROBLEMS
  for (const [name, rule] of Object.entries(asObject(member(schema, 'properties')))) {
    if (Object.hasOwn(value, name)) apply(name, [rule, `properties/${pointerStep(name)}`])
  }
  const nameRule = member(schema, 'propertyNames')
  for (const name of nameRule === undefined ? [] : Object.keys(value)) {
    if (enough()) return failures
    const failure = evaluate(rules, nameRule!, name, into(location, 'propertyNames', name))
    if (failure) failures.push(failure)
  }
  for (const [pattern, rule] of Object.entries(asObject(member(schema, 'patternProperties')))) {
    const names = Object.keys(value).filter((name) => rules.pattern(pattern).test(name))
    for (const name of names) {
      if (enough()) return failures
      apply(name, [rule, `patternProperties/${pointerStep(pattern)}`])
    }
  }
  const additional = member(schema, 'additionalProperties')
  if (additional === false && left.size > 0) {
    const names = [...left].slice(0, MAX_PROBLEMS).map(quoted).join(', ')
    failures.push(fail(location, 'additionalProperties', `additionalProperties ${names} not allowed`))
  } else if (additional !== undefined && additional !== false) {
    for (const name of left) {
      if (enough()) break
      apply(name, [additional, 'additionalProperties'])
    }
  }
  return failures
}

function dependencyFailures(
  evaluate: Evaluate,
  rules: Rules,
  schema: JsonObject,
  value: JsonObject,
  location: Location,
): Failure[] {
  return Object.entries(asObject(member(schema, 'dependencies'))).flatMap(([name, needs]) => {
    if (!Object.hasOwn(value, name)) return []
    const keyword = `dependencies/${pointerStep(name)}`
    if (!Array.isArray(needs)) {
      const failure = evaluate(rules, needs, value, into(location, keyword))
      return failure ? [failure] : []
    }
    return needs.flatMap((need, i) => {
      if (typeof need !== 'string' || Object.hasOwn(value, need)) return []
      const text = `property ${quoted(need)} is required, if ${quoted(name)} property exists`
      return [fail(location, `${keyword}/${i}`, text)]
    })
  })
}
