import { FunctionError } from '../errors.ts'

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
])

/** Nanoseconds of `1h30m`, `-1.5s`, … @throws FunctionError */
export function parseDuration(text: string): bigint {
  const sign = /^[-+]/.exec(text)?.[0] ?? ''
  const body = text.slice(sign.length)
  if (body === '0') return 0n
  const pattern = /([0-9]{0,20})(?:\.([0-9]{0,20}))?(ns|us|µs|μs|ms|s|m|h)/y
  let total = 0n
  while (pattern.lastIndex < body.length || body === '') {
    const [, whole = '', fraction = '', unit = ''] = pattern.exec(body) ?? []
    if (whole === '' && fraction === '') throw new FunctionError(`${JSON.stringify(text.slice(0, 40))} is no duration`)
    const size = UNITS.get(unit)!
    total += BigInt(whole || '0') * size
    if (fraction) total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length)
    if (total >= 2n ** 63n) throw new FunctionError('the duration is too long')
  }
  return sign === '-' ? -total : total
}

/** `1h2m5s`, `1.5ms`, `0s` */
export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s'
  const sign = nanos < 0n ? '-' : ''
  const size = nanos < 0n ? -nanos : nanos
  if (size < 1_000_000_000n) {
    const [unit, scale] = size < 1_000n ? ['ns', 1n] : size < 1_000_000n ? ['µs', 1_000n] : ['ms', 1_000_000n]
    return `${sign}${fixed(size, scale as bigint)}${unit}`
  }
  const minutes = size / 60_000_000_000n
  const seconds = `${fixed(size % 60_000_000_000n, 1_000_000_000n)}s`
  if (minutes === 0n) return sign + seconds
  return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}

function fixed(size: bigint, scale: bigint): string {
  const fraction = (size % scale)
    .toString()
    .padStart(scale.toString().length - 1, '0')
    .replace(/0{1,9}$/, '')
  return `${size / scale}${fraction && scale > 1n ? `.${fraction}` : ''}`
}
