/** Microseconds since 1970 UTC. A safe integer until the year 2255. */
export type Micros = number
/** RFC 3339 in UTC with up to six decimals and no trailing zeros, as Kratos prints stored times. */
export type Timestamp = string

export interface Clock {
  now(): Micros
}

/** A leap second, or a correction by NTP: what was written just before is only so much ahead. */
const BRIDGED: Micros = 2_000_000

/**
 * The wall clock, made strictly increasing, so that two rows written in one millisecond keep their order, also while it is set
 * back a little. It follows one that is set back by more, after a wrong jump ahead: standing still until then, sessions, codes
 * and what a recent sign-in allows would not age for as long as the jump was.
 */
export function systemClock(): Clock {
  let last = 0
  return {
    now() {
      const wall = Date.now() * 1000
      last = wall < last - BRIDGED ? wall : Math.max(wall, last + 1)
      return last
    },
  }
}

/**
 * Milliseconds for ages. The wall clock alone would stand still while it is set back, and what is old count as new; that of the
 * process leaves out the time in which the machine was suspended.
 */
export function steadyClock(): () => number {
  let ahead = Number.NEGATIVE_INFINITY
  return () => {
    const running = performance.now()
    ahead = Math.max(ahead, Date.now() - running)
    return running + ahead
  }
}

export const SECOND: Micros = 1_000_000

export function formatTime(micros: Micros): Timestamp {
  const whole = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19)
  const fraction = (((micros % SECOND) + SECOND) % SECOND).toString().padStart(6, '0').replace(/0+$/, '')
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`
}

/** Accepts any RFC 3339 time; digits beyond the microsecond are cut, as Kratos does. NaN for anything else. */
export function parseTime(text: string): Micros {
  const m = /^(\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (!m) return Number.NaN
  return Date.parse(m[1]! + m[3]!) * 1000 + Number((m[2] ?? '').slice(0, 6).padEnd(6, '0'))
}

type ThreadUsage = { threadCpuUsage?(): NodeJS.CpuUsage }

/** Milliseconds of processor time: of this thread, before Node 23.9 of all threads of the process. */
export function cpuMs(): number {
  const { user, system } = (process as ThreadUsage).threadCpuUsage?.() ?? process.cpuUsage()
  return (user + system) / 1000
}
