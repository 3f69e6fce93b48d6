import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { shortened } from '../../kernel/base/text.ts'
import type { Json, JsonObject, SchemaViolation } from '../types.ts'
import { dotted, type Failure, failureLine, first, leaves, MAX_LINE, MAX_PROBLEMS } from './failure.ts'
import { plainNumber, quoted } from './print.ts'

type Params = Record<string, Json>
type Text = (p: Params) => string

const n = (value: Json | undefined) => plainNumber(Number(value))

/** Rule → id and text of its message. Rules that are not here get 4000001 with the text of the failure. */
const MESSAGES: Record<string, [id: number, text: Text]> = {
  minLength: [4000003, (p) => `length must be >= ${p.min_length}, but got ${p.actual_length}`],
  maxLength: [4000017, (p) => `length must be <= ${p.max_length}, but got ${p.actual_length}`],
  pattern: [4000004, (p) => `does not match pattern ${quoted(p.pattern)}`],
  minimum: [4000018, (p) => `must be >= ${n(p.minimum)} but found ${n(p.actual)}`],
  exclusiveMinimum: [4000019, (p) => `must be > ${n(p.minimum)} but found ${n(p.actual)}`],
  maximum: [4000020, (p) => `must be <= ${n(p.maximum)} but found ${n(p.actual)}`],
  exclusiveMaximum: [4000021, (p) => `must be < ${n(p.maximum)} but found ${n(p.actual)}`],
  multipleOf: [4000022, (p) => `${n(p.actual)} not multipleOf ${n(p.base)}`],
  maxItems: [4000023, (p) => `maximum ${p.max_items} items allowed, but found ${p.actual_items} items`],
  minItems: [4000024, (p) => `minimum ${p.min_items} items allowed, but found ${p.actual_items} items`],
  uniqueItems: [4000025, (p) => `items at index ${p.index_a} and ${p.index_b} are equal`],
  type: [4000026, (p) => `expected ${(p.allowed_types as string[]).join(' or ')}, but got ${p.actual_type}`],
  const: [4000029, (p) => `must be equal to constant ${p.expected}`],
}

/** Formats with a message of their own; the value is its only context. */
const FORMAT_MESSAGES: Record<string, [id: number, text: string]> = {
  email: [4000040, 'Enter a valid email address'],
  tel: [4000041, 'Enter a valid phone number'],
}

/** The form messages of a failure, one for each broken rule and missing property, in order; only the first ones. */
export function violations(failure: Failure | undefined): SchemaViolation[] {
  if (!failure) return []
  return first(MAX_PROBLEMS, leaves(failure)).flatMap((leaf) =>
    leaf.missing
      ? leaf.missing.map((name) => missing(leaf, name))
      : [violation(leaf.instance, failureLine(leaf), ...message(leaf))],
  )
}

function missing(leaf: Failure, name: string): SchemaViolation {
  const text = `Property ${name} is missing.`
  return violation([...leaf.instance, name], failureLine(leaf), 4000002, text, { property: name })
}

function violation(
  instance: readonly string[],
  reason: string,
  id: number,
  text: string,
  context: JsonObject,
): SchemaViolation {
  return { path: dotted(instance), message: { id, text, type: 'error', context }, reason }
}

function message(leaf: Failure): [id: number, text: string, context: JsonObject] {
  const { keyword, params } = leaf
  const format = keyword === 'format' && params ? FORMAT_MESSAGES[String(params.format)] : undefined
  if (format) return [...format, { value: told(params!.value!) }]
  if (keyword === 'const' && !params) return [4000030, leaf.message, {}]
  const known = params && MESSAGES[keyword]
  if (known) return [known[0], known[1](params), params]
  const text = shortened(leaf.message, MAX_LINE)
  return [4000001, text, { reason: text }]
}

/** The value, unless it is longer than a line: it is stored with the form. */
function told(value: Json): Json {
  const text = typeof value === 'string' ? value : stringifyJson(value)
  return text.length > MAX_LINE ? shortened(text, MAX_LINE) : value
}
