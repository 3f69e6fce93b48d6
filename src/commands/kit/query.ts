import { compareNumbers } from '../../identities/schema/numbers.ts'
import { readJson } from '../../kernel/base/exact-json.ts'
import { isNumber } from '../../kernel/base/exact-number.ts'

/**
 * The part of GJSON paths that scripts use: names and positions separated by dots, `\` before a dot that belongs to a name,
 * `*` and `?` in names, `#` for the length of a list, `#.rest` for the rest of the path in every entry, `#(name=="x")`
 * for the first matching entry and `#(…)#` for all of them.
 * @see https://github.com/tidwall/gjson/blob/master/SYNTAX.md
 */
export function atPath(value: unknown, path: string): unknown {
  return follow(value, split(path))
}

/** @see RFC 6901 */
export function atPointer(value: unknown, pointer: string): unknown {
  if (pointer === '') return value
  if (!pointer.startsWith('/')) return undefined
  const names = pointer.slice(1).split('/')
  return names.reduce((node, name) => child(node, name.replaceAll('~1', '/').replaceAll('~0', '~')), value)
}

function split(path: string): string[] {
  return path.match(/(#\((?:"(?:\\.|[^"\\])*"|[^)"])*\)#?|\\.|[^.\\])+/gs) ?? []
}

function follow(value: unknown, [head, ...rest]: readonly string[]): unknown {
  if (head === undefined) return value
  if (head === '#') {
    if (!Array.isArray(value)) return undefined
    return rest.length === 0 ? value.length : present(value.map((entry) => follow(entry, rest)))
  }
  const [, condition, all] = /^#\((.*)\)(#?)$/s.exec(head) ?? []
  if (condition === undefined) return follow(named(value, head), rest)
  const fits = (Array.isArray(value) ? value : []).filter((entry) => meets(entry, condition))
  return all === '#'
    ? rest.length === 0
      ? fits
      : present(fits.map((entry) => follow(entry, rest)))
    : follow(fits[0], rest)
}

const present = (values: unknown[]) => values.filter((value) => value !== undefined)

function named(value: unknown, pattern: string): unknown {
  const plain = pattern.replace(/\\(.)/gs, '$1')
  if (Array.isArray(value) || !/(?<!\\)[*?]/.test(pattern)) return child(value, plain)
  const source = pattern.replace(/\\(.)|([*?])|([^\w\s])/gs, (_, escaped, wild, other) =>
    wild === undefined ? (escaped ?? other).replace(/[^\w\s]/, '\\$&') : wild === '*' ? '.*' : '.',
  )
  const fits = new RegExp(`^${source}$`, 's')
  return Object.entries(typeof value === 'object' && value !== null ? value : {}).find(([name]) => fits.test(name))?.[1]
}

function child(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || isNumber(value) || !Object.hasOwn(value, name)) return undefined
  if (Array.isArray(value) && !/^\d+$/.test(name)) return undefined
  return (value as Record<string, unknown>)[name]
}

const OPERATORS: Record<string, (a: never, b: never) => boolean> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

function meets(entry: unknown, condition: string): boolean {
  const [, path = '', operator, text = ''] = /^(.*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.*))?$/s.exec(condition) ?? []
  const value = atPath(entry, path)
  if (operator === undefined) return value !== undefined
  const wanted = literal(text)
  if (isNumber(value) && isNumber(wanted))
    return OPERATORS[operator]!(compareNumbers(value, wanted) as never, 0 as never)
  return typeof value === typeof wanted && OPERATORS[operator]!(value as never, wanted as never)
}

function literal(text: string): unknown {
  try {
    return readJson(text)
  } catch {
    return text
  }
}
