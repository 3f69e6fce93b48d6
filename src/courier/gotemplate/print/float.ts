/** More digits than any float64 has behind its point; what is asked for beyond them is zeros. */
const MAX_FRACTION = 1100

/** The decimal digits of a number without its sign, `0.d1d2d3… × 10^point`. */
interface Digits {
  digits: string
  point: number
}

/**
 * A float64 as Go writes it.
 *
 * @param verb e, E, f, g, G
 * @param precision digits behind the point (g: digits in all); -1 for as few as tell it from its neighbours
 * @returns with a sign only if it is negative
 */
export function formatFloat(value: number, verb: string, precision: number): string {
  if (Number.isNaN(value)) return 'NaN'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (!Number.isFinite(value)) return `${sign || '+'}Inf`
  const size = Math.abs(value)
  if (verb === 'f' || verb === 'F') return sign + fixed(size, precision)
  if (verb === 'e' || verb === 'E')
    return sign + exponential(precision < 0 ? shortest(size) : rounded(size, precision + 1), precision, verb)
  const wanted = precision === 0 ? 1 : precision
  const digits = trimmed(wanted < 0 ? shortest(size) : rounded(size, wanted))
  const count = digits.digits.length
  let limit = wanted < 0 ? 6 : wanted
  if (wanted >= 0 && limit > count && count >= digits.point) limit = count
  const exponent = digits.point - 1
  if (exponent < -4 || exponent >= limit) return sign + exponential(digits, count - 1, verb === 'G' ? 'E' : 'e')
  return sign + positional(digits, Math.max(count - digits.point, 0))
}

/** As Go's JSON writes it: exponents only far from 1. */
export function jsonFloat(value: number): string {
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) return formatFloat(value, 'e', -1).replace(/e-0(\d)$/, 'e-$1')
  return formatFloat(value, 'f', -1)
}

function fixed(size: number, precision: number): string {
  if (precision < 0) {
    const digits = shortest(size)
    return positional(digits, Math.max(digits.digits.length - digits.point, 0))
  }
  const places = Math.min(precision, MAX_FRACTION)
  const whole = scaled(size, places)
    .toString()
    .padStart(places + 1, '0')
  const fraction = whole.slice(whole.length - places).padEnd(precision, '0')
  return whole.slice(0, whole.length - places) + (precision > 0 ? `.${fraction}` : '')
}

function exponential({ digits, point }: Digits, precision: number, letter: string): string {
  const places = precision < 0 ? digits.length - 1 : precision
  const fraction = digits.slice(1).padEnd(places, '0').slice(0, places)
  const exponent = /^0*$/.test(digits) ? 0 : point - 1
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${digits[0]}${places > 0 ? `.${fraction}` : ''}${letter}${exponent < 0 ? '-' : '+'}${size}`
}

function positional({ digits, point }: Digits, places: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (places <= 0) return whole
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits
  return `${whole}.${fraction.padEnd(places, '0').slice(0, places)}`
}

function shortest(size: number): Digits {
  const [mantissa = '', exponent = ''] = size.toExponential().split('e')
  return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 }
}

/** So many digits in all, halves to even: JavaScript's own functions round halves up. */
function rounded(size: number, count: number): Digits {
  if (size === 0) return { digits: '0'.repeat(Math.min(count, MAX_FRACTION)), point: 1 }
  const wanted = Math.min(count, MAX_FRACTION)
  let point = shortest(size).point
  let digits = scaled(size, wanted - point).toString()
  if (digits.length !== wanted) {
    point += digits.length > wanted ? 1 : -1
    digits = scaled(size, wanted - point).toString()
  }
  return { digits, point }
}

function trimmed({ digits, point }: Digits): Digits {
  let length = digits.length
  while (length > 0 && digits[length - 1] === '0') length--
  const end = digits.slice(0, length)
  return end === '' ? { digits: '0', point: 1 } : { digits: end, point }
}

/** `size × 10^places`, rounded to the nearest whole number, halves to even. */
function scaled(size: number, places: number): bigint {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, size)
  const raw = bits.getBigUint64(0)
  const biased = Number((raw >> 52n) & 0x7ffn)
  const mantissa = (raw & 0xfffffffffffffn) | (biased === 0 ? 0n : 1n << 52n)
  const exponent = Math.max(biased, 1) - 1075
  let top = mantissa
  let bottom = 1n
  if (exponent >= 0) top <<= BigInt(exponent)
  else bottom <<= BigInt(-exponent)
  if (places >= 0) top *= 10n ** BigInt(places)
  else bottom *= 10n ** BigInt(-places)
  const [whole, rest] = [top / bottom, (top % bottom) * 2n]
  return rest > bottom || (rest === bottom && (whole & 1n) === 1n) ? whole + 1n : whole
}
