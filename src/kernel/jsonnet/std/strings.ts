import type { Machine } from '../machine.ts'
import { toText } from '../manifest.ts'
import { finite, wrongType } from '../operators.ts'
import { quote, slicePoints, splitPoints, textLength } from '../text.ts'
import { type Cell, force, JsonnetArray, typeOf, type Value } from '../values.ts'
import { append } from './arrays.ts'
import { arrayOf, asArray, asInteger, asNumber, asText, type Library, strict } from './kit.ts'

function joinTexts(machine: Machine, separator: string, array: JsonnetArray): string {
  const parts: string[] = []
  let length = 0
  for (const item of array.items) {
    const part = force(item)
    machine.spend(1)
    if (part === null) continue
    if (typeof part !== 'string') throw wrongType(machine, part, 'string')
    length += part.length + separator.length
    machine.spendText(length > machine.limits.size ? length : part.length + separator.length)
    parts.push(part)
  }
  return parts.join(separator)
}

function joinArrays(machine: Machine, separator: JsonnetArray, array: JsonnetArray): JsonnetArray {
  const out: Cell[] = []
  let first = true
  for (const item of array.items) {
    const part = force(item)
    machine.spend(1)
    if (part === null) continue
    if (!(part instanceof JsonnetArray)) throw wrongType(machine, part, 'array')
    if (!first) append(machine, out, separator.items)
    append(machine, out, part.items)
    first = false
  }
  return new JsonnetArray(out)
}

function join(machine: Machine, separator: Value, value: Value): Value {
  const array = asArray(machine, value)
  if (typeof separator === 'string') return joinTexts(machine, separator, array)
  if (separator instanceof JsonnetArray) return joinArrays(machine, separator, array)
  throw machine.fail(`join first parameter should be string or array, got ${typeOf(separator)}`)
}

function deepJoin(machine: Machine, value: Value): string {
  machine.spend(1)
  if (typeof value === 'string') return value
  if (!(value instanceof JsonnetArray)) throw machine.fail(`Expected string or array, got ${typeOf(value)}`)
  machine.enter(3)
  const text = value.items.map((item) => deepJoin(machine, force(item))).join('')
  machine.spendText(text.length)
  machine.leave(3)
  return text
}

/** @param limit how often to cut at most, -1: everywhere */
function split(machine: Machine, name: string, values: [Value, Value, Value]): { parts: string[]; limit: number } {
  const text = asText(machine, values[0])
  const at = asText(machine, values[1])
  const limit = asInteger(machine, values[2])
  if (limit < -1) throw machine.fail(`std.${name} third parameter should be -1 or non-negative, got ${limit}`)
  if (at === '') throw machine.fail(`std.${name} second parameter should have length 1 or greater, got 0`)
  machine.spendText(text.length)
  const parts = text.split(at)
  machine.spendItems(parts.length)
  return { parts, limit: limit === -1 ? parts.length : limit }
}

function splitLimit(machine: Machine, name: string, values: [Value, Value, Value]): JsonnetArray {
  const { parts, limit } = split(machine, name, values)
  if (parts.length <= limit + 1) return new JsonnetArray(parts)
  return new JsonnetArray([...parts.slice(0, limit), parts.slice(limit).join(values[1] as string)])
}

/** The characters to strip: a text, or an array of texts. */
function stripper(machine: Machine, text: string, chars: Value, ends: { left: boolean; right: boolean }): string {
  if (text === '') return text
  machine.spend(typeof chars === 'string' ? chars.length : chars instanceof JsonnetArray ? chars.items.length : 0)
  const set = new Set<Value>(typeof chars === 'string' ? chars : undefined)
  if (chars instanceof JsonnetArray) for (const item of chars.items) set.add(force(item))
  else if (typeof chars !== 'string') throw machine.fail('std.member first argument must be an array or a string')
  const points = splitPoints(machine, text)
  let from = 0
  let to = points.length
  if (ends.left) while (from < to && set.has(points[from]!)) from += 1
  if (ends.right) while (to > from && set.has(points[to - 1]!)) to -= 1
  return points.slice(from, to).join('')
}

const strip = (left: boolean, right: boolean) =>
  strict(['str', 'chars'], (machine, text, chars) => stripper(machine, asText(machine, text), chars, { left, right }))

function parameter(machine: Machine, which: string, value: Value): number {
  if (typeof value !== 'number')
    throw machine.fail(`substr ${which} parameter should be a number, got ${typeOf(value)}`)
  if (!Number.isInteger(value)) throw machine.fail(`substr ${which} parameter should be an integer, got ${value}`)
  if (value < 0) throw machine.fail(`substr ${which} parameter should be greater than zero, got ${value}`)
  return value
}

/** Digits of a base, letters for those above nine. @throws JsonnetError at others */
function digits(machine: Machine, text: Value, base: number, kind: string): number {
  const given = asText(machine, text)
  if (given === '') throw machine.fail(`Not ${kind}: ""`)
  machine.spend(given.length)
  return [...given].reduce((total, char) => {
    const code = char.codePointAt(0)!
    const digit = code - (code >= 97 ? 87 : code >= 65 ? 55 : 48)
    if (digit < 0 || digit >= base) throw machine.fail(`${given} is not a base ${base} integer`)
    return finite(machine, total * base + digit)
  }, 0)
}

/** Of ASCII letters only. */
const changeCase = (letters: RegExp, change: (text: string) => string) =>
  strict(['str'], (machine, text) => {
    machine.spendText(asText(machine, text).length)
    return asText(machine, text).replace(letters, change)
  })

function findSubstr(machine: Machine, pattern: Value, value: Value): JsonnetArray {
  if (typeof pattern !== 'string')
    throw machine.fail(`findSubstr first parameter should be a string, got ${typeOf(pattern)}`)
  if (typeof value !== 'string')
    throw machine.fail(`findSubstr second parameter should be a string, got ${typeOf(value)}`)
  const found: number[] = []
  if (pattern === '') return new JsonnetArray(found)
  const points = splitPoints(machine, value)
  let units = 0
  points.forEach((point, index) => {
    machine.spend(1 + (pattern.length >> 4))
    if (value.startsWith(pattern, units)) found.push(index)
    units += point.length
  })
  return new JsonnetArray(found)
}

/** Spaces of Unicode; the byte order mark, one of JavaScript's, is none of them. */
function trim(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && SPACE.test(text[from]!)) from += 1
  while (to > from && SPACE.test(text[to - 1]!)) to -= 1
  return text.slice(from, to)
}
const SPACE = /[^\S\ufeff]|\u0085/

function affix(machine: Machine, a: Value, b: Value, at: 'startsWith' | 'endsWith'): boolean {
  const [text, part] = [asText(machine, a), asText(machine, b)]
  machine.spendText(part.length)
  return text[at](part)
}

/** A text each of whose characters that need it is replaced. */
const escaping = (pattern: RegExp, by: (char: string) => string, around = '') =>
  strict(['str_'], (machine, value) => {
    const text = toText(machine, value)
    machine.spendText(text.length * 6)
    return around + text.replace(pattern, by) + around
  })

const XML: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  "'": '&apos;',
}

export const strings: Library = {
  substr: strict(['str', 'from', 'len'], (machine, text, from, length) => {
    if (typeof text !== 'string') throw machine.fail(`substr first parameter should be a string, got ${typeOf(text)}`)
    const start = parameter(machine, 'second', from)
    return slicePoints(machine, text, start, start + parameter(machine, 'third', length))
  }),
  startsWith: strict(['a', 'b'], (machine, a, b) => affix(machine, a, b, 'startsWith')),
  endsWith: strict(['a', 'b'], (machine, a, b) => affix(machine, a, b, 'endsWith')),
  lstripChars: strip(true, false),
  rstripChars: strip(false, true),
  stripChars: strip(true, true),
  trim: strict(['str'], (machine, text) => {
    machine.spendText(asText(machine, text).length)
    return trim(asText(machine, text))
  }),
  isEmpty: strict(['str'], (machine, text) => asText(machine, text) === ''),
  stringChars: strict(['str'], (machine, text) => arrayOf(machine, splitPoints(machine, asText(machine, text)))),
  split: strict(['str', 'c'], (machine, text, at) => splitLimit(machine, 'split', [text, at, -1])),
  splitLimit: strict(['str', 'c', 'maxsplits'], (machine, ...values) =>
    splitLimit(machine, 'splitLimit', [values[0], values[1], values[2]]),
  ),
  splitLimitR: strict(['str', 'c', 'maxsplits'], (machine, ...values) => {
    const { parts, limit } = split(machine, 'splitLimitR', [values[0], values[1], values[2]])
    const whole = Math.max(0, parts.length - limit - 1)
    return new JsonnetArray([parts.slice(0, whole + 1).join(values[1] as string), ...parts.slice(whole + 1)])
  }),
  strReplace: strict(['str', 'from', 'to'], (machine, text, from, to) => {
    if (asText(machine, from) === '') throw machine.fail("'from' string must not be zero length.")
    const { parts } = split(machine, 'strReplace', [text, from, -1])
    machine.spendText(asText(machine, text).length + asText(machine, to).length * (parts.length - 1))
    return parts.join(asText(machine, to))
  }),
  asciiUpper: changeCase(/[a-z]+/g, (text) => text.toUpperCase()),
  asciiLower: changeCase(/[A-Z]+/g, (text) => text.toLowerCase()),
  equalsIgnoreCase: strict(['str1', 'str2'], (machine, a, b) => {
    const [left, right] = [asText(machine, a), asText(machine, b)]
    machine.spendText(left.length + right.length)
    return left.toLowerCase() === right.toLowerCase() || left.toUpperCase() === right.toUpperCase()
  }),
  findSubstr: strict(['pat', 'str'], findSubstr),
  join: strict(['sep', 'arr'], join),
  lines: strict(['arr'], (machine, value) =>
    joinTexts(machine, '\n', new JsonnetArray([...asArray(machine, value).items, ''])),
  ),
  deepJoin: strict(['arr'], deepJoin),
  resolvePath: strict(['f', 'r'], (machine, file, relative) => {
    const { parts } = split(machine, 'split', [file, '/', -1])
    return [...parts.slice(0, -1), asText(machine, relative)].join('/')
  }),
  char: strict(['n'], (machine, n) => {
    const point = asNumber(machine, n)
    if (point > 0x10ffff) throw machine.fail(`Invalid unicode codepoint, got ${point}`)
    if (point < 0) throw machine.fail(`Codepoints must be >= 0, got ${point}`)
    return String.fromCodePoint(Math.trunc(point)).toWellFormed()
  }),
  codepoint: strict(['str'], (machine, text) => {
    const length = textLength(machine, asText(machine, text))
    if (length !== 1) throw machine.fail(`codepoint takes a string of length 1, got length ${length}`)
    return asText(machine, text).codePointAt(0)!
  }),
  parseInt: strict(['str'], (machine, text) => {
    const given = asText(machine, text)
    machine.spendText(given.length)
    const value = /^[+-]?[0-9]+$/.test(given) ? Number(given) : Number.NaN
    if (!(Math.abs(value) < 2 ** 63)) throw machine.fail(`${given} is not a base 10 integer`)
    return value
  }),
  parseOctal: strict(['str'], (machine, text) => digits(machine, text, 8, 'an octal number')),
  parseHex: strict(['str'], (machine, text) => digits(machine, text, 16, 'hexadecimal')),
  escapeStringJson: strict(['str_'], (machine, value) => escapeJson(machine, value)),
  escapeStringPython: strict(['str'], (machine, value) => escapeJson(machine, value)),
  escapeStringBash: escaping(/'/g, () => `'"'"'`, "'"),
  escapeStringDollars: escaping(/\$/g, () => '$$'),
  escapeStringXML: escaping(/[<>&"']/g, (char) => XML[char]!),
}

function escapeJson(machine: Machine, value: Value): string {
  const text = toText(machine, value)
  machine.spendText(text.length * 6)
  return quote(text)
}
