import { formatFloat } from '../print/float.ts'

/** Digits behind the point of a quotient. */
const DIVISION_DIGITS = 16

/** A decimal number, `n × 10^-scale`: 0.1 + 0.2 is 0.3. */
interface Decimal {
  n: bigint
  scale: number
}

/** @returns undefined for a division by zero */
export function decimalOperation(
  operation: 'add' | 'sub' | 'mul' | 'div',
  first: number,
  others: readonly number[],
): number | undefined {
  let result = toDecimal(first)
  for (const other of others) {
    const next = apply(operation, result, toDecimal(other))
    if (!next) return undefined
    result = next
  }
  return toNumber(result)
}

function apply(operation: string, a: Decimal, b: Decimal): Decimal | undefined {
  if (operation === 'mul') return { n: a.n * b.n, scale: a.scale + b.scale }
  if (operation === 'div') return divide(a, b)
  const scale = Math.max(a.scale, b.scale)
  const [x, y] = [raise(a, scale), raise(b, scale)]
  return { n: operation === 'add' ? x + y : x - y, scale }
}

function divide(a: Decimal, b: Decimal): Decimal | undefined {
  if (b.n === 0n) return undefined
  const shift = DIVISION_DIGITS - a.scale + b.scale
  const top = shift >= 0 ? a.n * 10n ** BigInt(shift) : a.n
  const bottom = shift >= 0 ? b.n : b.n * 10n ** BigInt(-shift)
  const whole = top / bottom
  const rest = (top % bottom) * 2n
  const away = (rest < 0n ? -rest : rest) >= (bottom < 0n ? -bottom : bottom)
  const sign = top < 0n === bottom < 0n ? 1n : -1n
  return { n: away ? whole + sign : whole, scale: DIVISION_DIGITS }
}

function raise({ n, scale }: Decimal, to: number): bigint {
  return n * 10n ** BigInt(to - scale)
}

function toDecimal(value: number): Decimal {
  if (!Number.isFinite(value)) return { n: 0n, scale: 0 }
  const [mantissa = '0', exponent = '0'] = formatFloat(value, 'e', -1).split('e')
  const fraction = mantissa.split('.')[1] ?? ''
  const scale = fraction.length - Number(exponent)
  const n = BigInt(mantissa.replace('.', ''))
  return scale < 0 ? { n: n * 10n ** BigInt(-scale), scale: 0 } : { n, scale }
}

function toNumber({ n, scale }: Decimal): number {
  return Number(`${n}e${-scale}`)
}
