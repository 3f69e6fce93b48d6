import { FunctionError } from '../errors.ts'
import { NO_FLAGS } from '../print/flags.ts'
import { sprintf } from '../print/printf.ts'
import { isPrintable } from '../print/quote.ts'
import { format, printed, sprint } from '../print/value.ts'
import { ANY, compareText, Dict, Int, isTrue, List, Thing, typeOf, utf8Length, type Value } from '../values.ts'
import { type Func, func, type Runtime } from './signature.ts'

/** The functions of Go's text/template itself. @see https://pkg.go.dev/text/template#hdr-Functions */
export const BUILTINS: Record<string, Func> = {
  // `and` and `or` are carried out where their arguments are read
  and: func('raw, ...raw', () => undefined),
  or: func('raw, ...raw', () => undefined),
  not: func('raw', ([value]) => !isTrue(value)),
  eq: func('raw, ...raw', ([first, ...others]) => {
    if (others.length === 0) throw new FunctionError('nothing to compare with')
    return others.some((other) => equal(first, other))
  }),
  ne: func('raw, raw', ([a, b]) => !equal(a, b)),
  lt: func('raw, raw', ([a, b]) => order(a, b) < 0),
  le: func('raw, raw', ([a, b]) => order(a, b) <= 0),
  gt: func('raw, raw', ([a, b]) => !(order(a, b) <= 0)),
  ge: func('raw, raw', ([a, b]) => !(order(a, b) < 0)),
  len: func('raw', ([value]) => new Int(lengthOf(value))),
  index: func('raw, ...raw', ([item, ...keys]) => keys.reduce(indexed, present(item, 'index of nothing'))),
  call: func('raw, ...raw', ([value]) => {
    throw new FunctionError(`${typeOf(value)} is no function`)
  }),
  print: func('...any', (args, { budget }) => sprint(args, budget)),
  println: func('...any', (args, { budget }) => `${args.map((arg) => format(arg, 'v', NO_FLAGS, budget)).join(' ')}\n`),
  printf: func('string, ...any', ([template, ...args]: readonly Value[], { budget }) =>
    sprintf(String(template), args, budget),
  ),
  html: func('...any', (args, runtime) => escapeHtml(joined(args, runtime))),
  js: func('...any', (args, runtime) => escapeJs(joined(args, runtime))),
  urlquery: func('...any', (args, runtime) => escapeQuery(joined(args, runtime))),
}

function equal(a: Value, b: Value): boolean {
  if (a instanceof Int && b instanceof Int) return a.n === b.n
  const [left, right] = [basic(a), basic(b)]
  if (left !== undefined && left === right) return a === b
  if (left === undefined && right === undefined) {
    const [nil, other] = [isNil(a), isNil(b)]
    if (nil || other) return nil === other
    if (a instanceof Thing && b instanceof Thing && a.type === b.type) return a === b || a.text() === b.text()
    throw new FunctionError(`${typeOf(a)} and ${typeOf(b)} cannot be compared`)
  }
  if (a === undefined || a === null || b === undefined || b === null) return false
  throw new FunctionError(`${typeOf(a)} and ${typeOf(b)} are of different types`)
}

function isNil(value: Value): boolean {
  return value === undefined || value === null || ((value instanceof List || value instanceof Dict) && value.isNil)
}

/** The types that are compared by value. */
function basic(value: Value): string | undefined {
  if (value instanceof Int) return 'int'
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' ? type : undefined
}

function order(a: Value, b: Value): number {
  if (a instanceof Int && b instanceof Int) return a.n < b.n ? -1 : a.n > b.n ? 1 : 0
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a === b ? 0 : a > b ? 1 : Number.NaN
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  throw new FunctionError(`${typeOf(a)} and ${typeOf(b)} have no order`)
}

function present(value: Value, fault: string): Value {
  if (value === undefined || value === null) throw new FunctionError(fault)
  return value
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return utf8Length(value)
  if (value instanceof List) return value.items.length
  if (value instanceof Dict) return value.entries.size
  throw new FunctionError(`${typeOf(value)} has no length`)
}

function indexed(item: Value, key: Value): Value {
  if (item === undefined || item === null) throw new FunctionError('index of nothing')
  if (item instanceof Dict) {
    if (typeof key !== 'string') throw new FunctionError(`the key of a map is a text, not ${typeOf(key)}`)
    return item.entries.has(key) ? item.entries.get(key) : zeroElement(item)
  }
  if (typeof item !== 'string' && !(item instanceof List)) throw new FunctionError(`${typeOf(item)} cannot be indexed`)
  if (!(key instanceof Int)) throw new FunctionError(`an index is an int, not ${typeOf(key)}`)
  const length = lengthOf(item)
  if (key.n < 0n || key.n >= BigInt(length)) throw new FunctionError(`index ${key.n} of ${length}`)
  if (item instanceof List) return item.items[Number(key.n)]
  return new Int(Buffer.from(item)[Number(key.n)]!, 'uint8')
}

function zeroElement(dict: Dict): Value {
  if (dict.element === 'string') return ''
  return dict.element === ANY ? null : new List([], dict.element.slice(2), true)
}

/** The arguments of an escaper as one text. */
export function joined(args: readonly Value[], { budget }: Runtime): string {
  if (args.length === 1 && typeof args[0] === 'string') return args[0]
  const texts = args.map((arg) => (arg === null || arg === undefined ? '<no value>' : arg))
  return texts.length === 1 ? printed(texts[0], budget) : sprint(texts, budget)
}

const HTML: Record<string, string> = {
  '\0': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
}

export function escapeHtml(text: string): string {
  return text.replace(/[\0"'&<>]/g, (char) => HTML[char]!)
}

function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=\p{Cc}]|[^\p{ASCII}]/gu, (char) => {
    if (char === '\\' || char === "'" || char === '"') return `\\${char}`
    if (char === '\x7f' || (char > '\x7f' && isPrintable(char))) return char
    return `\\u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
  })
}

export function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
