/**
 * A number whose text JavaScript would not reproduce: more digits than a double holds, a zero at the end of a fraction,
 * an exponent, a negative zero. All others are plain numbers.
 */
export class ExactNumber {
  /** as JSON has it */
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }

  /** `JSON.stringify` cannot write it: an error is better than another number. */
  toJSON(): never {
    throw new NeedsExactWriter()
  }
}

export class NeedsExactWriter extends TypeError {
  override readonly message = 'exact numbers are written by stringifyJson'
}

/** A number, in either form. */
export type JsonNumber = number | ExactNumber

export const isNumber = (value: unknown): value is JsonNumber =>
  typeof value === 'number' || value instanceof ExactNumber

/** A number of JSON, digit by digit: `digits` times ten to the power of `exponent`. */
export interface Decimal {
  negative: boolean
  digits: string
  exponent: number
}

const DECIMAL = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** @returns undefined for a text that is no number of JSON */
export function readDecimal(text: string): Decimal | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? []
  if (sign === undefined) return undefined
  return { negative: sign === '-', digits: whole + fraction, exponent: Number(exponent) - fraction.length }
}

/** Whether two texts are the same number, to the last digit: `1.50` and `15e-1` are. */
export function sameNumber(a: string, b: string): boolean {
  const [x, y] = [significant(readDecimal(a)), significant(readDecimal(b))]
  return x.digits === y.digits && x.exponent === y.exponent && x.negative === y.negative
}

/** The same without zeros at either end; zero has one digit and no sign. */
export function significant(decimal: Decimal | undefined): Decimal {
  const { negative, digits, exponent } = decimal ?? { negative: false, digits: '', exponent: 0 }
  let [first, end] = [0, digits.length]
  while (digits[first] === '0') first += 1
  if (first === end) return { negative: false, digits: '0', exponent: 0 }
  while (digits[end - 1] === '0') end -= 1
  return { negative, digits: digits.slice(first, end), exponent: exponent + digits.length - end }
}
