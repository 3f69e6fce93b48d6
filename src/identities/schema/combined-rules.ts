import type { Json, JsonObject } from '../types.ts'
import { type Failure, fail, type Location } from './failure.ts'
import { asArray, type Evaluate, into, member, type Rules } from './node.ts'

/** The rules that apply other schemas to the same value. */
export function combinedFailures(
  evaluate: Evaluate,
  rules: Rules,
  schema: JsonObject,
  value: Json,
  location: Location,
): Failure[] {
  const under = (keyword: string, rule: Json) => evaluate(rules, rule, value, into(location, keyword))
  const not = member(schema, 'not')
  return [
    ...(not !== undefined && !under('not', not) ? [fail(location, 'not', 'not failed')] : []),
    ...asArray(member(schema, 'allOf')).flatMap((rule, i) => {
      const cause = under(`allOf/${i}`, rule)
      return cause ? [fail(location, `allOf/${i}`, 'allOf failed', { causes: [cause] })] : []
    }),
    ...anyOfFailures(asArray(member(schema, 'anyOf')), under, location),
    ...oneOfFailures(asArray(member(schema, 'oneOf')), under, location),
    ...conditionFailures(schema, under, location),
  ]
}

type Under = (keyword: string, rule: Json) => Failure | undefined

function anyOfFailures(options: readonly Json[], under: Under, location: Location): Failure[] {
  const causes: Failure[] = []
  for (const [i, option] of options.entries()) {
    const cause = under(`anyOf/${i}`, option)
    if (!cause) return []
    causes.push(cause)
  }
  return options.length === 0 ? [] : [fail(location, 'anyOf', 'anyOf failed', { causes })]
}

function oneOfFailures(options: readonly Json[], under: Under, location: Location): Failure[] {
  const causes: Failure[] = []
  let matched: number | undefined
  for (const [i, option] of options.entries()) {
    const cause = under(`oneOf/${i}`, option)
    if (cause) causes.push(cause)
    else if (matched === undefined) matched = i
    else return [fail(location, 'oneOf', `valid against schemas at indexes ${matched} and ${i}`)]
  }
  return options.length === 0 || matched !== undefined ? [] : [fail(location, 'oneOf', 'oneOf failed', { causes })]
}

function conditionFailures(schema: JsonObject, under: Under, location: Location): Failure[] {
  const condition = member(schema, 'if')
  if (condition === undefined) return []
  const keyword = under('if', condition) ? 'else' : 'then'
  const rule = member(schema, keyword)
  const cause = rule === undefined ? undefined : under(keyword, rule)
  return cause ? [fail(location, keyword, `if-${keyword} failed`, { causes: [cause] })] : []
}
