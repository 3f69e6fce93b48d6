/** Whole numbers in full, others with 17 significant digits as `%.17g` of C and Go prints them. */
export function showNumber(value: number): string {
  if (Object.is(value, -0)) return '-0'
  if (Number.isInteger(value)) return Number.isSafeInteger(value) ? String(value) : BigInt(value).toString()
  const [mantissa, exponent] = digits17(value).split('e') as [string, string]
  const power = Number(exponent)
  const sign = value < 0 ? '-' : ''
  const figures = withoutZeros(mantissa.replace('-', '').replace('.', ''))
  if (power < -4) {
    const rest = figures.length > 1 ? `.${figures.slice(1)}` : ''
    return `${sign}${figures[0]}${rest}e-${String(-power).padStart(2, '0')}`
  }
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${figures}`
  return `${sign}${figures.slice(0, power + 1)}.${figures.slice(power + 1)}`
}

/** Digits less the zeros at their end. */
export function withoutZeros(digits: string): string {
  let end = digits.length
  while (digits[end - 1] === '0') end -= 1
  return digits.slice(0, end)
}

/** Ties go to the even digit; `toExponential` rounds them up. */
function digits17(value: number): string {
  const rounded = value.toExponential(16)
  const [exact] = value.toExponential(60).split('e') as [string]
  const [, figures] = exact.split('.') as [string, string]
  const tie = figures[16] === '5' && /^0*$/.test(figures.slice(17))
  if (!tie || Number(figures[15]) % 2 === 1) return rounded
  return `${exact.slice(0, exact.length - (60 - 16))}e${rounded.split('e')[1]}`
}

/** The shortest digits that name the number, never with an exponent. */
export function showPlain(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  const [mantissa, exponent] = text.split('e') as [string, string | undefined]
  if (exponent === undefined) return text
  const power = Number(exponent)
  const sign = value < 0 ? '-' : ''
  const figures = mantissa.replace('-', '').replace('.', '')
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${figures}`
  return sign + figures.padEnd(power + 1, '0')
}

/** x = mantissa · 2^exponent, the mantissa from 0.5 below 1. */
export function parts(value: number): { mantissa: number; exponent: number } {
  let mantissa = value
  let exponent = 0
  if (value === 0 || !Number.isFinite(value)) return { mantissa, exponent }
  for (let step = 512; step >= 1; step /= 2) {
    while (Math.abs(mantissa) >= 2 ** step) {
      mantissa /= 2 ** step
      exponent += step
    }
    while (Math.abs(mantissa) < 2 ** -step) {
      mantissa *= 2 ** step
      exponent -= step
    }
  }
  if (Math.abs(mantissa) >= 1) return { mantissa: mantissa / 2, exponent: exponent + 1 }
  return { mantissa, exponent }
}

/**
 * A power by repeated squaring, rounded at each step as Go's library does: `**` is more exact, and then the last of the
 * 17 digits that are printed would differ.
 */
export function power(base: number, exponent: number): number {
  const size = Math.abs(exponent)
  const special = base === 0 || base === 1 || exponent === 0 || exponent === 1 || size === 0.5 || size >= 2 ** 63
  if (special || !Number.isFinite(base) || (base < 0 && !Number.isInteger(exponent))) return base ** exponent
  let whole = Math.floor(size)
  let rest = size - whole
  if (rest > 0.5) {
    rest -= 1
    whole += 1
  }
  let result = rest === 0 ? 1 : Math.exp(rest * Math.log(base))
  let twos = 0
  let { mantissa, exponent: step } = parts(base)
  for (let left = whole; left > 0; left = Math.floor(left / 2)) {
    if (Math.abs(step) > 4096) return step < 0 === exponent > 0 ? 0 : Number.POSITIVE_INFINITY
    if (left % 2 === 1) {
      result *= mantissa
      twos += step
    }
    mantissa *= mantissa
    step *= 2
    if (mantissa < 0.5) {
      mantissa += mantissa
      step -= 1
    }
  }
  return exponent < 0 ? scale(1 / result, -twos) : scale(result, twos)
}

/** In halves: 2^1100 is no double, 2^550 is. */
const scale = (value: number, twos: number) => value * 2 ** Math.trunc(twos / 2) * 2 ** (twos - Math.trunc(twos / 2))
