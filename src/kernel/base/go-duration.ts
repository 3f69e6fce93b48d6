const MS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** What a signed 64-bit count of nanoseconds holds. */
const MAX_MS = 9_223_372_036_854

const SYNTAX = /^([+-]?)((?:\d{1,18}(?:\.\d{1,18})?(?:ns|us|µs|ms|s|m|h)){1,20})$/

/**
 * A duration as Go reads it: `1h30m`, `-5m`, `1.5s`.
 * @returns milliseconds, and the text in Go's own form; undefined for what is none, or beyond 292 years
 */
export function goDuration(given: string): { ms: number; text: string } | undefined {
  if (given === '0') return { ms: 0, text: '0s' }
  const [, sign, parts] = given.length > 400 ? [] : (SYNTAX.exec(given) ?? [])
  if (parts === undefined) return undefined
  let ms = 0
  for (const [, count, unit] of parts.matchAll(/([\d.]+)([a-zµ]+)/g)) ms += Number(count) * MS[unit!]!
  if (ms > MAX_MS) return undefined
  const signed = sign === '-' ? -ms : ms
  return { ms: signed, text: goText(signed) }
}

function goText(ms: number): string {
  if (ms === 0) return '0s'
  const sign = ms < 0 ? '-' : ''
  const all = Math.abs(ms)
  if (all < 1000) return `${sign}${all}ms`
  const [hours, minutes, seconds] = [Math.floor(all / 3_600_000), Math.floor(all / 60_000) % 60, (all % 60_000) / 1000]
  return `${sign}${hours > 0 ? `${hours}h` : ''}${hours + minutes > 0 ? `${minutes}m` : ''}${seconds}s`
}
