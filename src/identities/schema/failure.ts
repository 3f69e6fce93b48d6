import { shortened } from '../../kernel/base/text.ts'
import type { JsonObject } from '../types.ts'

/**
 * The most broken rules that are looked for in one value, and reported: a person corrects no more at once, and
 * the client chooses how many there could be.
 */
export const MAX_PROBLEMS = 50
/** Characters of one reported line, and of one step in it. */
export const MAX_LINE = 2048
const MAX_STEP = 255

/** One broken rule of a schema, as a tree: a combining rule has the broken ones as causes. */
export interface Failure {
  /** the rule, e.g. `minLength`; empty for a group of failures */
  keyword: string
  message: string
  /** unescaped steps to the value, e.g. `['traits', 'email']` */
  instance: readonly string[]
  /** JSON pointer to the rule, e.g. `#/properties/traits/required` */
  schema: string
  causes: readonly Failure[]
  /** context of the form message, with its names */
  params?: JsonObject
  /** names of missing properties, when the rule is `required` */
  missing?: readonly string[]
}

/** The current position of the evaluation. `rule` is the JSON pointer of the schema in force. */
export interface Location {
  readonly instance: readonly string[]
  readonly rule: string
  readonly depth: number
}

export function fail(
  location: Location,
  keyword: string,
  message: string,
  more: Partial<Pick<Failure, 'causes' | 'params' | 'missing'>> = {},
): Failure {
  const schema = keyword === '' ? location.rule : `${location.rule}/${keyword}`
  return { keyword, message, instance: location.instance, schema, causes: [], ...more }
}

/** Escapes one step of a JSON pointer that stands in a URL fragment. */
export function pointerStep(step: string): string {
  return encodeURIComponent(shortened(step, MAX_STEP).replaceAll('~', '~0').replaceAll('/', '~1')).replace(
    /%(24|26|2B|3A|3D|40)/g,
    (code) => decodeURIComponent(code),
  )
}

export function pointer(steps: readonly string[]): string {
  return ['#', ...steps.map(pointerStep)].join('/')
}

/** `traits.name.first`; a dot inside a name is escaped with a backslash. */
export function dotted(steps: readonly string[]): string {
  return steps.map((step) => shortened(step, MAX_STEP).replaceAll('.', '\\.')).join('.')
}

/** The line of this rule alone: `I[#/traits/email] S[#/…/format] "x" is not valid "email"`. */
export function failureLine(failure: Failure): string {
  return shortened(`I[${pointer(failure.instance)}] S[${failure.schema}] ${failure.message}`, MAX_LINE)
}

/** The line of the rule and, indented below it, those of its causes; the first {@link MAX_PROBLEMS} of them. */
export function failureText(failure: Failure): string {
  return first(MAX_PROBLEMS, lines(failure, '')).join('\n')
}

function* lines(failure: Failure, indent: string): Generator<string> {
  yield `${indent}${failureLine(failure)}`
  for (const cause of failure.causes) yield* lines(cause, `${indent}  `)
}

/** The rules at the ends of the tree: what a form shows, in order. */
export function* leaves(failure: Failure): Generator<Failure> {
  if (failure.missing || failure.causes.length === 0) yield failure
  else for (const cause of failure.causes) yield* leaves(cause)
}

export function first<T>(count: number, all: Iterable<T>): T[] {
  const taken: T[] = []
  for (const one of all) {
    if (taken.length >= count) break
    taken.push(one)
  }
  return taken
}
