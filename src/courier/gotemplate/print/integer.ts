import { type Flags, pad } from './flags.ts'
import { hex, isPrintable, quote } from './quote.ts'

const BASES: Record<string, number> = { d: 10, v: 10, b: 2, o: 8, O: 8, x: 16, X: 16 }

/** @returns undefined where the verb does not suit whole numbers */
export function formatInteger(n: bigint, verb: string, flags: Flags): string | undefined {
  const base = BASES[verb]
  if (base !== undefined) return digits(n, base, verb, flags)
  const code = n >= 0n && n <= 0x10ffffn ? Number(n) : 0xfffd
  const char = code >= 0xd800 && code <= 0xdfff ? '\ufffd' : String.fromCodePoint(code)
  if (verb === 'c') return pad(char, flags)
  if (verb === 'q') return pad(quote(char, flags.plus, "'"), flags)
  if (verb !== 'U') return undefined
  const name = `U+${hex(code, Math.max(4, flags.precision ?? 0)).toUpperCase()}`
  return pad(flags.sharp && isPrintable(char) ? `${name} '${char}'` : name, { ...flags, zero: false })
}

function digits(n: bigint, base: number, verb: string, flags: Flags): string {
  const { precision, width = 0, plus, space, sharp, minus, zero } = flags
  if (precision === 0 && n === 0n) return pad('', { ...flags, zero: false })
  let text = (n < 0n ? -n : n).toString(base)
  const sign = n < 0n ? '-' : plus ? '+' : space ? ' ' : ''
  if (precision !== undefined) text = text.padStart(precision, '0')
  else if (zero && !minus) text = text.padStart(width - sign.length, '0')
  if (sharp && base === 2) text = `0b${text}`
  if (sharp && verb === 'o' && text[0] !== '0') text = `0${text}`
  if (sharp && base === 16) text = `0x${text}`
  if (verb === 'O') text = `0o${text}`
  if (verb === 'X') text = text.toUpperCase()
  return pad(sign + text, { ...flags, zero: false })
}
