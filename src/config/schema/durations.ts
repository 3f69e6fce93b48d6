export const DURATION = /^([0-9]+(ns|us|ms|s|m|h))+$/
export const DURATION_SINGLE = /^[0-9]+(ns|us|ms|s|m|h)$/

const MS: Record<string, number> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * 292 years, the most that a signed 64-bit count of nanoseconds holds. The grammar accepts longer texts, which would
 * yield dates that no `Date` can hold.
 */
export const MAX_DURATION_MS = 9_223_372_036_854

/** `1h30m` → 5 400 000. Fractions of a millisecond survive. The text must match `DURATION`. */
export function durationToMs(text: string): number {
  let total = 0
  for (const [, digits = '0', unit = 'ms'] of text.matchAll(/([0-9]+)(ns|us|ms|s|m|h)/g)) {
    total += Number(digits) * MS[unit]!
  }
  return Math.min(total, MAX_DURATION_MS)
}

/** The shortest whole-number text for a count of milliseconds, for messages: 5 400 000 → `1h30m`. */
export function msToDuration(ms: number): string {
  let rest = Math.round(ms)
  const parts: string[] = []
  for (const unit of ['h', 'm', 's', 'ms']) {
    const size = MS[unit]!
    const count = Math.floor(rest / size)
    if (count > 0) parts.push(`${count}${unit}`)
    rest -= count * size
  }
  return parts.join('') || '0s'
}
