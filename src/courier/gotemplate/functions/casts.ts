import { parseFloat64, parseInteger } from '../parse/literals.ts'
import { Int, type Value } from '../values.ts'

/** As an int64, from whatever it is: what has no such value is 0. */
export function toInt64(value: Value): bigint {
  if (value instanceof Int) return BigInt.asIntN(64, value.n)
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'number') return truncated(value)
  if (typeof value !== 'string') return 0n
  const whole = parseInteger(wholePart(value))
  return whole !== undefined && BigInt.asIntN(64, whole) === whole ? whole : 0n
}

export function toFloat64(value: Value): number {
  if (value instanceof Int) return Number(value.n)
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return 0
  const special = /^([+-]?)(?:inf(?:inity)?|nan)$/i.exec(value)
  if (special)
    return /nan/i.test(value) ? Number.NaN : special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return parseFloat64(value) ?? 0
}

function truncated(value: number): bigint {
  // what does not fit is the smallest number on the processors that Kratos runs on
  if (!(Math.abs(value) < 2 ** 63)) return -(2n ** 63n)
  return BigInt(Math.trunc(value))
}

/** `3.7` counts as 3; hexadecimal and octal numbers are taken too. */
function wholePart(text: string): string {
  const [, whole] = /^([-+]?[0-9]*)\.[0-9]*$/.exec(text) ?? []
  if (whole === undefined) return text
  return /[0-9]/.test(whole) ? whole : `${whole}0`
}
