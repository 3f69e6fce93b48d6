import { FunctionError } from '../errors.ts'
import { type Func, func, type Runtime } from '../functions/signature.ts'
import { NO_FLAGS } from '../print/flags.ts'
import { quote } from '../print/quote.ts'
import { format } from '../print/value.ts'
import { compareText, Dict, type Int, List, type Value } from '../values.ts'
import { isLower, isSpace, isUpper, lower, trimSet, trimSpace, upper } from './characters.ts'
import { connected, pascalCase } from './words.ts'
import { wrap } from './wrap.ts'

type Texts = readonly string[]

/** A function of texts only. */
const text = (count: number, call: (...texts: string[]) => Value) =>
  func(Array(count).fill('string').join(', '), (args: Texts) => call(...args))

/** @see https://masterminds.github.io/sprig/strings.html */
export const TEXT: Record<string, Func> = {
  hello: func('', () => 'Hello!'),
  trim: text(1, trimSpace),
  trimAll: text(2, (set, of) => trimSet(of, set)),
  trimall: text(2, (set, of) => trimSet(of, set)),
  trimPrefix: text(2, (prefix, of) => (of.startsWith(prefix) ? of.slice(prefix.length) : of)),
  trimSuffix: text(2, (suffix, of) => (of.endsWith(suffix) ? of.slice(0, of.length - suffix.length) : of)),
  upper: text(1, upper),
  lower: text(1, lower),
  title: text(1, title),
  untitle: text(1, (of) => atWordStarts(of, isSpace, lower)),
  swapcase: text(1, swapCase),
  snakecase: text(1, (of) => connected(of, '_')),
  kebabcase: text(1, (of) => connected(of, '-')),
  camelcase: text(1, pascalCase),
  nospace: text(1, (of) => [...of].filter((char) => !isSpace(char)).join('')),
  initials: text(1, initials),
  contains: text(2, (part, of) => of.includes(part)),
  hasPrefix: text(2, (part, of) => of.startsWith(part)),
  hasSuffix: text(2, (part, of) => of.endsWith(part)),
  repeat: func('int, string', ([count, of]: readonly [Int, string], { budget }) => {
    if (count.n < 0n) throw new FunctionError('a negative count')
    budget.text(Number(count.n) * of.length)
    return of.repeat(Number(count.n))
  }),
  replace: func('string, string, string', ([old, by, of]: readonly [string, string, string], runtime) =>
    replaceAll(of, old, by, runtime),
  ),
  indent: func('int, string', ([spaces, of]: readonly [Int, string], runtime) => indent(spaces, of, runtime)),
  nindent: func('int, string', ([spaces, of]: readonly [Int, string], runtime) => `\n${indent(spaces, of, runtime)}`),
  plural: func('string, string, int', ([one, many, count]: readonly [string, string, Int]) =>
    count.n === 1n ? one : many,
  ),
  substr: func('int, int, string', ([start, end, of]: readonly [Int, Int, string]) =>
    substring(Number(start.n), Number(end.n), of),
  ),
  trunc: func('int, string', ([count, of]: readonly [Int, string]) => {
    const chars = [...of]
    const n = Number(count.n)
    return n >= 0 ? chars.slice(0, n).join('') : chars.slice(Math.max(chars.length + n, 0)).join('')
  }),
  abbrev: func('int, string', ([width, of]: readonly [Int, string]) => abbreviate(of, 0, Number(width.n))),
  abbrevboth: func('int, int, string', ([left, right, of]: readonly [Int, Int, string]) =>
    abbreviate(of, Number(left.n), Number(right.n)),
  ),
  wrap: func('int, string', ([width, of]: readonly [Int, string]) => wrap(of, Number(width.n), '\n', false)),
  wrapWith: func('int, string, string', ([width, separator, of]: readonly [Int, string, string], { budget }) => {
    budget.text(separator.length * (of.length + 1))
    return wrap(of, Number(width.n), separator || '\n', true)
  }),
  quote: func('...any', (args, runtime) => quoted(args, (arg) => quote(strval(arg, runtime)))),
  squote: func('...any', (args, { budget }) => quoted(args, (arg) => `'${format(arg, 'v', NO_FLAGS, budget)}'`)),
  cat: func('...any', (args, { budget }) =>
    args
      .filter((arg) => arg !== null)
      .map((arg) => format(arg, 'v', NO_FLAGS, budget))
      .join(' '),
  ),
  toString: func('any', ([value], runtime) => strval(value, runtime)),
  toStrings: func('any', ([value], runtime) => new List(strings(value, runtime), 'string')),
  join: func('string, any', ([separator, value]: readonly [string, Value], runtime) => {
    const parts = strings(value, runtime)
    runtime.budget.text(separator.length * parts.length)
    return parts.join(separator)
  }),
  sortAlpha: func('any', ([value], runtime) => {
    const texts = value instanceof List ? strings(value, runtime) : [strval(value, runtime)]
    return new List(texts.sort(compareText), 'string')
  }),
  split: text(2, (separator, of) => numbered(splitText(of, separator))),
  splitList: text(2, (separator, of) => new List(splitText(of, separator), 'string')),
  splitn: func('string, int, string', ([separator, count, of]: readonly [string, Int, string]) =>
    numbered(splitAtMost(of, separator, Number(count.n))),
  ),
  shuffle: func('string', ([of]: Texts, { random }) => {
    const chars = [...of!]
    for (let i = chars.length - 1; i > 0; i--) {
      const j = random(i + 1)
      ;[chars[i], chars[j]] = [chars[j]!, chars[i]!]
    }
    return chars.join('')
  }),
}

/** A value as a text, as sprig takes one where it may be anything. */
export function strval(value: Value, { budget }: Runtime): string {
  return typeof value === 'string' ? value : format(value, 'v', NO_FLAGS, budget)
}

/** The elements as texts without those that are nil; what is no list is one text. */
export function strings(value: Value, runtime: Runtime): string[] {
  if (value === null || value === undefined) return []
  if (!(value instanceof List)) return [strval(value, runtime)]
  runtime.budget.step(value.items.length)
  return value.items.filter((item) => item !== null && item !== undefined).map((item) => strval(item, runtime))
}

function quoted(args: readonly Value[], one: (arg: Value) => string): string {
  return args
    .filter((arg) => arg !== null)
    .map(one)
    .join(' ')
}

function indent({ n }: Int, of: string, { budget }: Runtime): string {
  if (n < 0n) throw new FunctionError('a negative number of blanks')
  budget.text(Number(n) * (of.split('\n').length + 1) + of.length)
  const pad = ' '.repeat(Number(n))
  return pad + of.replaceAll('\n', `\n${pad}`)
}

function replaceAll(of: string, old: string, by: string, { budget }: Runtime): string {
  const parts = old === '' ? [...of] : of.split(old)
  budget.text(of.length + by.length * (parts.length + 1))
  return old === '' ? by + parts.map((char) => char + by).join('') : parts.join(by)
}

function substring(start: number, end: number, of: string): string {
  const chars = [...of]
  const from = Math.max(start, 0)
  const to = start >= 0 && (end < 0 || end > chars.length) ? chars.length : end
  if (to < from || to > chars.length) throw new FunctionError(`[${from}:${to}] of ${chars.length} characters`)
  return chars.slice(from, to).join('')
}

/** Leaves `...` where something is cut off, at the front if `offset` is beyond its length. */
function abbreviate(of: string, offset: number, width: number): string {
  const chars = [...of]
  if (width < 4 || (offset > 0 && width < 7) || chars.length <= width) return of
  const room = width - 3
  const start = Math.min(offset, chars.length, Math.max(chars.length - room, 0))
  if (start <= 4) return `${chars.slice(0, room).join('')}...`
  if (start + room < chars.length) return `...${abbreviate(chars.slice(start).join(''), 0, room)}`
  return `...${chars.slice(chars.length - room).join('')}`
}

function title(of: string): string {
  return atWordStarts(of, (char) => !/^[\p{L}\p{Nd}_]$/u.test(char) && (char < '\x80' || isSpace(char)), upper)
}

function atWordStarts(of: string, separates: (char: string) => boolean, change: (char: string) => string): string {
  let [out, start] = ['', true]
  for (const char of of) {
    out += start && !separates(char) ? change(char) : char
    start = separates(char)
  }
  return out
}

function swapCase(of: string): string {
  let out = ''
  for (const char of of) out += isUpper(char) ? lower(char) : isLower(char) ? upper(char) : char
  return out
}

function initials(of: string): string {
  return [...of].filter((char, i, all) => !isSpace(char) && (i === 0 || isSpace(all[i - 1]))).join('')
}

function splitText(of: string, separator: string): string[] {
  return separator === '' ? [...of] : of.split(separator)
}

function splitAtMost(of: string, separator: string, count: number): string[] {
  if (count === 0) return []
  const parts = splitText(of, separator)
  if (count < 0 || parts.length <= count) return parts
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)]
}

function numbered(parts: readonly string[]): Dict {
  return new Dict(new Map(parts.map((part, i) => [`_${i}`, part])), 'string')
}
