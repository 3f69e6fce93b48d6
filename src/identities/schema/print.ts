import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { type JsonNumber, readDecimal, significant } from '../../kernel/base/exact-number.ts'

/**
 * Prints values the way the texts of the contract print them, which come from Go's `%q`, `%v` and `%#v`.
 * @see kratos/messages.md "Field messages"
 */

const SHORT: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
}

function escapeCharacter(c: string): string {
  const short = SHORT[c]
  if (short) return short
  const code = c.codePointAt(0)!
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}

/** A text in double quotes. */
export function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : stringifyJson(value)
  return `"${text.replace(/["\\]|[^\P{C}]|[^\P{Z} ]/gu, escapeCharacter)}"`
}

/** A number with an exponent from 1e+06 on and below 0.0001. */
export function plainNumber(n: JsonNumber): string {
  const { negative, digits, exponent } = significant(readDecimal(String(n)))
  const sign = negative ? '-' : ''
  const power = exponent + digits.length - 1
  if (power >= -4 && power < 6) {
    const padded = power < 0 ? `${'0'.repeat(-power)}${digits}` : digits.padEnd(power + 1, '0')
    const point = Math.max(power, 0) + 1
    return `${sign}${padded.slice(0, point)}${padded.length > point ? `.${padded.slice(point)}` : ''}`
  }
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`
  return `${sign}${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** A value of `enum` or `const`. Numbers are quoted too: Kratos keeps them as text. */
export function literal(value: unknown): string {
  if (value === null) return '<nil>'
  if (typeof value === 'boolean') return String(value)
  return quoted(value)
}
