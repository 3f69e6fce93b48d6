import type { JsonObject } from '../types.ts'

/** One broken rule of a schema, as a tree: a rule made of rules names the broken ones as causes. */
export interface Failure {
  /** the rule, e.g. `minLength`; empty for a group of failures */
  keyword: string
  message: string
  /** unescaped steps to the value, e.g. `['traits', 'email']` */
  instance: readonly string[]
  /** JSON pointer to the rule, e.g. `#/properties/traits/required` */
  schema: string
  causes: readonly Failure[]
  /** what a form message tells beside its text, named as there */
  params?: JsonObject
  /** names of missing properties, when the rule is `required` */
  missing?: readonly string[]
}

/** Where the evaluation stands. `rule` is the JSON pointer of the schema in force. */
export interface Place {
  readonly instance: readonly string[]
  readonly rule: string
  readonly depth: number
}

export function fail(
  place: Place,
  keyword: string,
  message: string,
  more: Partial<Pick<Failure, 'causes' | 'params' | 'missing'>> = {},
): Failure {
  const schema = keyword === '' ? place.rule : `${place.rule}/${keyword}`
  return { keyword, message, instance: place.instance, schema, causes: [], ...more }
}

/** Escapes one step of a JSON pointer that stands in a URL fragment. */
export function pointerStep(step: string): string {
  return encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1')).replace(/%(24|26|2B|3A|3D|40)/g, (code) =>
    decodeURIComponent(code),
  )
}

export function pointer(steps: readonly string[]): string {
  return ['#', ...steps.map(pointerStep)].join('/')
}

/** `traits.name.first`; a dot inside a name is escaped with a backslash. */
export function dotted(steps: readonly string[]): string {
  return steps.map((step) => step.replaceAll('.', '\\.')).join('.')
}

/** The line of this rule alone: `I[#/traits/email] S[#/…/format] "x" is not valid "email"`. */
export function failureLine(failure: Failure): string {
  return `I[${pointer(failure.instance)}] S[${failure.schema}] ${failure.message}`
}

/** The line of the rule and, indented below it, those of its causes. */
export function failureText(failure: Failure): string {
  const causes = failure.causes.flatMap((cause) => failureText(cause).split('\n'))
  return [failureLine(failure), ...causes.map((line) => `  ${line}`)].join('\n')
}

/** The rules at the ends of the tree: what a form shows, in order. */
export function leaves(failure: Failure): Failure[] {
  return failure.missing || failure.causes.length === 0 ? [failure] : failure.causes.flatMap(leaves)
}
