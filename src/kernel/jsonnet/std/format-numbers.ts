import type { Machine } from '../machine.ts'
import { power, showNumber, withoutZeros } from '../numbers.ts'
import { finite } from '../operators.ts'
import type { Code } from './format-codes.ts'

/** A number by the codes d, o, x, e, f and g. The arithmetic is that of the reference's library, rounding and all. */
export function renderCode(
  machine: Machine,
  value: number,
  code: Code,
  width: number,
  precision: number | undefined,
): string {
  // one by one, up to 309 digits
  machine.spend(Math.abs(value) < 1e21 ? 32 : 512)
  machine.spendText(Math.max(0, width) + Math.max(0, precision ?? 0))
  const zeros = code.zero && !code.left ? width : 0
  const digits = precision ?? 6
  switch (code.type) {
    case 'd':
    case 'o': {
      const radix = code.type === 'd' ? 10 : 8
      const prefix = code.type === 'o' && code.alternate ? '0' : ''
      return whole(value <= -1, Math.floor(Math.abs(value)), { ...code, zeros, digits: precision ?? 0, radix, prefix })
    }
    case 'x':
      return hexadecimal(Math.floor(value), code, zeros, precision ?? 0)
    case 'f':
      return decimal(machine, value, code, { zeros, precision: digits, trailing: true })
    case 'e':
      return scientific(machine, value, code, { zeros, precision: digits, trailing: true })
    default:
      return shortest(machine, value, code, zeros, digits)
  }
}

function shortest(machine: Machine, value: number, code: Code, zeros: number, digits: number): string {
  const exponent = value === 0 ? 0 : Math.floor(Math.log(Math.abs(value)) / Math.log(10))
  const trailing = code.alternate
  if (exponent < -4 || exponent >= digits)
    return scientific(machine, value, code, { zeros, precision: digits - 1, trailing })
  return decimal(machine, value, code, { zeros, precision: digits - Math.max(1, exponent + 1), trailing })
}

type Signs = Pick<Code, 'blank' | 'plus'>

const sign = (negative: boolean, { plus, blank }: Signs) => (negative ? '-' : plus ? '+' : blank ? ' ' : '')

interface Whole extends Signs {
  /** width to fill with zeros, with the sign, and digits at least */
  zeros: number
  digits: number
  radix: number
  prefix: string
}

function whole(negative: boolean, magnitude: number, style: Whole): string {
  const { radix, prefix } = style
  // above 2^53 the digits are those that the arithmetic of doubles makes
  const figures = magnitude === 0 ? '0' : prefix + digitsOf(magnitude, radix)
  const room = style.zeros - (negative || style.blank || style.plus ? 1 : 0)
  return sign(negative, style) + figures.padStart(Math.max(room, style.digits), '0')
}

function digitsOf(magnitude: number, radix: number): string {
  let figures = ''
  for (let left = magnitude; left > 0; left = Math.floor(left / radix)) figures = showNumber(left % radix) + figures
  return figures
}

function hexadecimal(value: number, code: Code, zeros: number, digits: number): string {
  const magnitude = Math.abs(value)
  const figures = magnitude === 0 ? '0' : BigInt(magnitude).toString(16)
  const room = zeros - (value < 0 || code.blank || code.plus ? 1 : 0) - (code.alternate ? 2 : 0)
  const padded = (code.alternate ? '0x' : '') + figures.padStart(Math.max(room, digits), '0')
  return sign(value < 0, code) + (code.capitals ? padded.toUpperCase() : padded)
}

interface Fraction {
  zeros: number
  precision: number
  /** keep zeros at the end */
  trailing: boolean
}

function decimal(machine: Machine, value: number, code: Code, { zeros, precision, trailing }: Fraction): string {
  const magnitude = Math.abs(value)
  const denominator = power(10, precision)
  const numerator = finite(machine, finite(machine, magnitude * denominator) + 0.5)
  const before = Math.sign(magnitude) * Math.floor(numerator / denominator)
  const after = Math.floor(numerator) % denominator
  const point = precision === 0 && !code.alternate ? 0 : 1
  const plain = { digits: 0, radix: 10, prefix: '' }
  const text = whole(value < 0, before, { ...code, ...plain, zeros: zeros - precision - point })
  if (precision === 0) return text + (code.alternate ? '.' : '')
  if (!trailing && after <= 0) return text
  const figures = whole(false, after, { blank: false, plus: false, ...plain, zeros: precision })
  return `${text}.${trailing ? figures : withoutZeros(figures)}`
}

function scientific(machine: Machine, value: number, code: Code, fraction: Fraction): string {
  const exponent = value === 0 ? 0 : Math.floor(Math.log(Math.abs(value)) / Math.log(10))
  const style = { blank: false, plus: true, zeros: 3, digits: 0, radix: 10, prefix: '' }
  const suffix = (code.capitals ? 'E' : 'e') + whole(exponent < 0, Math.abs(exponent), style)
  // 10^-324 is no double
  const mantissa = exponent === -324 ? (value * 10) / power(10, exponent + 1) : value / power(10, exponent)
  return (
    decimal(machine, finite(machine, mantissa), code, { ...fraction, zeros: fraction.zeros - suffix.length }) + suffix
  )
}
