const ESCAPES: Record<string, number> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 }
const INTEGER = /^[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/
const DECIMAL =
  /^[+-]?(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?$/
const HEXADECIMAL = /^([+-]?)0[xX]((?:_?[0-9a-fA-F])*)\.?((?:_?[0-9a-fA-F])*)[pP]([+-]?[0-9]+)$/

/** @throws SyntaxError with the reason */
export function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1)
  if (quoted[0] === '`') return inner.includes('\r') ? inner.replaceAll('\r', '') : inner
  if (!inner.includes('\\')) return inner
  const parts: Buffer[] = []
  for (let i = 0; i < inner.length; ) {
    if (inner[i] !== '\\') {
      const next = inner.indexOf('\\', i)
      const end = next < 0 ? inner.length : next
      parts.push(Buffer.from(inner.slice(i, end)))
      i = end
      continue
    }
    const { value, length, isByte } = escaped(inner, i, '"')
    parts.push(isByte ? Buffer.from([value]) : Buffer.from(String.fromCodePoint(value)))
    i += length
  }
  return Buffer.concat(parts).toString('utf8')
}

/** The code point of a character in single quotes. @throws SyntaxError with the reason */
export function unquoteCharacter(quoted: string): number {
  const inner = quoted.slice(1, -1)
  if (inner[0] === '\\') {
    const { value, length } = escaped(inner, 0, "'")
    if (length === inner.length) return value
  } else if (inner.length > 0 && String.fromCodePoint(inner.codePointAt(0)!) === inner) return inner.codePointAt(0)!
  throw new SyntaxError(`${quoted} is not one character`)
}

function escaped(text: string, at: number, quote: string): { value: number; length: number; isByte?: boolean } {
  const letter = text[at + 1] ?? ''
  if (letter === quote) return { value: letter.charCodeAt(0), length: 2 }
  const simple = ESCAPES[letter]
  if (simple !== undefined && Object.hasOwn(ESCAPES, letter)) return { value: simple, length: 2 }
  const digits = { x: 2, u: 4, U: 8 }[letter]
  if (digits !== undefined) {
    const hex = text.slice(at + 2, at + 2 + digits)
    const value = Number.parseInt(hex, 16)
    const valid =
      hex.length === digits && /^[0-9a-fA-F]+$/.test(hex) && value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff)
    if (valid) return { value, length: 2 + digits, isByte: letter === 'x' }
  }
  const octal = text.slice(at + 1, at + 4)
  if (/^[0-3][0-7]{2}$/.test(octal)) return { value: Number.parseInt(octal, 8), length: 4, isByte: true }
  throw new SyntaxError(`${JSON.stringify(text.slice(at, at + 2))} is no escape that texts know`)
}

/** The value of an integer as Go writes it: decimal, 0x, 0o or 0 for octal, 0b, `_` between digits. */
export function parseInteger(text: string): bigint | undefined {
  if (text.length > 100 || !INTEGER.test(text)) return undefined
  const digits = text.replace(/^[+-]/, '').replaceAll('_', '')
  const value = BigInt(/^0[0-7]/.test(digits) ? `0o${digits}` : digits)
  return text.startsWith('-') ? -value : value
}

export function parseFloat64(text: string): number | undefined {
  if (text.length > 400) return undefined
  if (DECIMAL.test(text)) {
    const value = Number(text.replaceAll('_', ''))
    return Number.isFinite(value) ? value : undefined
  }
  const [, sign, whole = '', fraction = '', exponent = ''] = HEXADECIMAL.exec(text) ?? []
  const digits = (whole + fraction).replaceAll('_', '')
  if (sign === undefined || digits === '' || digits.length > 13) return undefined
  const value = Number.parseInt(digits, 16) * 2 ** (Number(exponent) - 4 * fraction.replaceAll('_', '').length)
  return Number.isFinite(value) ? (sign === '-' ? -value : value) : undefined
}
