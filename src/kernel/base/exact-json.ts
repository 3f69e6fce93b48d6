import { parse, stringify } from 'lossless-json'
import { ExactNumber, NeedsExactWriter, readDecimal } from './exact-number.ts'

/** Digits of one number when it is written out, as the database keeps it: Postgres allows 16383 behind the point. */
const MAX_DIGITS = 16_383
/** What the exponents of all numbers may add to a document when they are written out: `1e9999` has six characters. */
const MAX_GROWTH = 65_536
/** Deeper values are left to `JSON.parse`, which needs no stack for them. */
const MAX_EXACT_DEPTH = 1000

/**
 * Reads JSON and keeps the text of every number. As quick as `JSON.parse` plus one look at each character, unless there
 * is an {@link ExactNumber}.
 *
 * @throws SyntaxError with ` at position N` where that is known; RangeError for numbers that are too long
 */
export function readJson(text: string): unknown {
  const { exact, depth } = survey(text)
  if (!exact || depth > MAX_EXACT_DEPTH) return JSON.parse(text)
  return parse(text, undefined, {
    parseNumber: (digits) => (isPlain(digits) ? Number(digits) : new ExactNumber(digits)),
    onDuplicateKey: ({ newValue }) => newValue,
  })
}

/** Writes JSON as `JSON.stringify` does, and each number with the text that it was read with. */
export function stringifyJson(value: unknown, space?: number): string {
  try {
    return JSON.stringify(value, null, space)
  } catch (error) {
    if (!(error instanceof NeedsExactWriter)) throw error
    const exact = { test: (part: unknown) => part instanceof ExactNumber, stringify: String }
    return stringify(value, undefined, space, [exact])!
  }
}

/** A copy that shares nothing with the value. */
export function cloneJson<T>(value: T): T {
  if (Array.isArray(value)) return value.map(cloneJson) as T
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, cloneJson(inner)])) as T
}

const BLANKS = /[ \n\r\t]+/g

/** A JSON text without the blanks between its tokens, which Postgres writes. */
export function compactJson(text: string): string {
  let compact = ''
  for (let i = 0; i < text.length; ) {
    const open = text.indexOf('"', i)
    if (open === -1) return compact + text.slice(i).replace(BLANKS, '')
    const end = endOfString(text, open)
    compact += text.slice(i, open).replace(BLANKS, '') + text.slice(open, end + 1)
    i = end + 1
  }
  return compact
}

const isPlain = (digits: string) => String(Number(digits)) === digits
/** Numbers that a double holds for certain; four times as fast as the full check. */
const COMMON = /^-?[1-9]\d{0,6}(?:\.\d{0,6}[1-9])?$/

/** How many digits a number has when it is written out without an exponent; about, and never too few. */
function writtenLength(number: string): number {
  const { digits, exponent } = readDecimal(number) ?? { digits: number, exponent: 0 }
  return digits.length + Math.abs(exponent)
}

/** Whether a text holds exact numbers, and its depth, without checking that it is JSON. */
function survey(text: string): { exact: boolean; depth: number } {
  let exact = false
  let growth = 0
  let depth = 0
  let deepest = 0
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i)
    if (c === QUOTE) i = endOfString(text, i)
    else if (c === OPEN_BRACE || c === OPEN_BRACKET) deepest = Math.max(deepest, ++depth)
    else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) depth -= 1
    else if (c === MINUS || isDigit(c)) {
      const start = i
      while (isDigit(text.charCodeAt(i + 1))) i += 1
      if (c !== MINUS && i - start < SAFE_DIGITS && !isPartOfNumber(text.charCodeAt(i + 1))) continue
      while (isPartOfNumber(text.charCodeAt(i + 1))) i += 1
      const number = text.slice(start, i + 1)
      if (COMMON.test(number)) continue
      exact ||= !isPlain(number)
      const written = writtenLength(number)
      growth += Math.max(0, written - number.length)
      if (written > MAX_DIGITS || growth > MAX_GROWTH) throw new RangeError('a number has too many digits')
    }
  }
  return { exact, depth: deepest }
}

/** The position of the quote that ends the string that begins at `open`; the end where there is none. */
function endOfString(text: string, open: number): number {
  for (let end = text.indexOf('"', open + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return end
  }
  return text.length
}

/** A whole number of so many digits is a double. */
const SAFE_DIGITS = 15

const isDigit = (c: number) => c >= ZERO && c <= NINE
const isPartOfNumber = (c: number) =>
  isDigit(c) || c === POINT || c === UPPER_E || c === LOWER_E || c === MINUS || c === PLUS

const [QUOTE, BACKSLASH, MINUS, PLUS, POINT] = [0x22, 0x5c, 0x2d, 0x2b, 0x2e] as const
const [ZERO, NINE, UPPER_E, LOWER_E] = [0x30, 0x39, 0x45, 0x65] as const
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d] as const
