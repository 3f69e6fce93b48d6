/** Whole numbers in full, others with 17 significant digits as `%.17g` of C and Go prints them. */
export function showNumber(value: number): string {
  if (Object.is(value, -0)) return '-0'
  if (Number.isInteger(value)) return Math.abs(value) < 1e21 ? String(value) : BigInt(value).toString()
  const [mantissa, exponent] = digits17(value).split('e') as [string, string]
  const power = Number(exponent)
  const sign = value < 0 ? '-' : ''
  const figures = mantissa.replace('-', '').replace('.', '').replace(/0+$/, '')
  if (power < -4) {
    const rest = figures.length > 1 ? `.${figures.slice(1)}` : ''
    return `${sign}${figures[0]}${rest}e-${String(-power).padStart(2, '0')}`
  }
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${figures}`
  return `${sign}${figures.slice(0, power + 1)}.${figures.slice(power + 1)}`
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
