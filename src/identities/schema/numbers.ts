import { type JsonNumber, readDecimal } from '../../kernel/base/exact-number.ts'

/**
 * Numbers as Kratos compares them: Go's `big.Float` of 64 bits, which holds more than a double and less than every digit.
 * Numbers that both hold exactly are compared as doubles.
 */
interface Float64Bit {
  /** with its sign, odd unless it is zero, of at most 64 bits */
  mantissa: bigint
  /** to the power of two */
  exponent: number
}

const BITS = 64

/** @returns below, above or equal to zero, as the first is smaller, greater or the same */
export function compareNumbers(a: JsonNumber, b: JsonNumber): number {
  // Texts of doubles keep their order when they are rounded to more bits.
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [x, y] = [toFloat(a), toFloat(b)]
  const least = BigInt(Math.min(x.exponent, y.exponent))
  const difference = (x.mantissa << (BigInt(x.exponent) - least)) - (y.mantissa << (BigInt(y.exponent) - least))
  return difference === 0n ? 0 : difference < 0n ? -1 : 1
}

/** One text for all numbers that are equal, and for no others. */
export function numberKey(value: JsonNumber): string {
  if (typeof value === 'number') return String(value)
  const float = toFloat(value)
  const double = Number(value.text)
  const nearest = Number.isFinite(double) ? toFloat(double) : undefined
  const same = nearest?.mantissa === float.mantissa && nearest.exponent === float.exponent
  return same ? String(double + 0) : `${float.mantissa}p${float.exponent}`
}

/** Whether a number counts as integer: by its text, so that 1.0 and 1e2 do not. */
export function isWhole(value: JsonNumber): boolean {
  return /^-?\d+$/.test(String(value))
}

/** Whether the quotient is whole once it is rounded to 64 bits, so that 0.3 is a multiple of 0.1. */
export function isMultiple(value: JsonNumber, base: JsonNumber): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(base)) return Number(value) % Number(base) === 0
  const [x, y] = [toFloat(value), toFloat(base)]
  if (y.mantissa === 0n) return false
  const shift = BigInt(x.exponent - y.exponent)
  const quotient = shift < 0n ? rounded(x.mantissa, y.mantissa << -shift) : rounded(x.mantissa << shift, y.mantissa)
  return quotient.exponent >= 0
}

function toFloat(value: JsonNumber): Float64Bit {
  const { negative, digits, exponent } = readDecimal(String(value))!
  const whole = BigInt(negative ? `-${digits}` : digits)
  return exponent < 0 ? rounded(whole, 10n ** BigInt(-exponent)) : rounded(whole * 10n ** BigInt(exponent), 1n)
}

/** A fraction to 64 bits, to the nearest, ties to even. */
function rounded(numerator: bigint, denominator: bigint): Float64Bit {
  if (numerator === 0n) return { mantissa: 0n, exponent: 0 }
  const negative = numerator < 0n !== denominator < 0n
  const [n, d] = [magnitude(numerator), magnitude(denominator)]
  const shift = BITS + 8 - (lengthOf(n) - lengthOf(d))
  const [scaled, by] = shift < 0 ? [n, d << BigInt(-shift)] : [n << BigInt(shift), d]
  const quotient = scaled / by
  const extra = lengthOf(quotient) - BITS
  const [half, low] = [1n << BigInt(extra - 1), BigInt.asUintN(extra, quotient)]
  let mantissa = quotient >> BigInt(extra)
  const tie = low === half && scaled % by === 0n
  if (tie ? (mantissa & 1n) === 1n : low >= half) mantissa += 1n
  let exponent = extra - shift
  for (; (mantissa & 1n) === 0n; mantissa >>= 1n) exponent += 1
  return { mantissa: negative ? -mantissa : mantissa, exponent }
}

const magnitude = (n: bigint) => (n < 0n ? -n : n)
/** bits of a positive number */
function lengthOf(n: bigint): number {
  const hex = n.toString(16)
  return 4 * hex.length - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28
}
