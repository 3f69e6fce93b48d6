import type { z } from 'zod'
import { at } from '../sources/sources.ts'
import { hintFor } from './hints.ts'
import { type Loaded, problemAt } from './locate.ts'
import { type ConfigProblem, showValue } from './problems.ts'
import { isSensitivePath } from './sensitive.ts'

/** Reports the findings of the schema in the words that operators know from Kratos, with file and line. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], loaded: Loaded): ConfigProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) =>
        problemAt(loaded, path, `additionalProperties ${JSON.stringify(name)} not allowed`, {
          inside: name,
          hint: hintFor([...path, name]),
        }),
      )
    }
    const value = at(loaded.merged, path)
    const reason = reasonFor(issue, value, path)
    return [problemAt(loaded, path, reason, { hint: hintFor(path, reason) })]
  })
}

function reasonFor(issue: z.core.$ZodIssue, value: unknown, path: readonly string[]): string {
  if (value === undefined) {
    return `one or more required properties are missing (missing properties: ${JSON.stringify(path.at(-1) ?? '')})`
  }
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${expectedName(issue.expected)}, but got ${typeName(value)}`
    case 'invalid_value':
      return oneOf(issue.values)
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options)
        ? oneOf(issue.options)
        : 'fits none of the allowed forms'
    case 'invalid_format':
      return issue.format === 'regex' && 'pattern' in issue
        ? `does not match pattern "${String(issue.pattern)
            .replace(/^\/|\/[a-z]*$/g, '')
            .replaceAll('\\/', '/')}"`
        : issue.message
    case 'too_small':
      if (issue.origin === 'string') return `length must be >= ${issue.minimum}, but got ${String(value).length}`
      if (issue.origin === 'array')
        return `minimum ${issue.minimum} items allowed, but found ${(value as unknown[]).length} items`
      return `must be >= ${issue.minimum} but found ${showValue(value, path)}`
    case 'too_big':
      if (issue.origin === 'string') return `length must be <= ${issue.maximum}, but got ${String(value).length}`
      return `must be <= ${issue.maximum} but found ${showValue(value, path)}`
    case 'invalid_key':
      return 'name not allowed'
    case 'custom':
      return issue.message.startsWith('is n') && !isSensitivePath(path)
        ? `${JSON.stringify(showValue(value, path))} ${issue.message}`
        : issue.message
    default:
      return issue.message
  }
}

const oneOf = (values: readonly unknown[]) =>
  `value must be one of ${values.map((value) => JSON.stringify(value)).join(', ')}`

function expectedName(expected: string): string {
  return { int: 'integer', record: 'object' }[expected] ?? expected
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  // JSON's 1e999, TOML's nan
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return Array.isArray(value) ? 'array' : value instanceof Date ? 'date' : typeof value
}
