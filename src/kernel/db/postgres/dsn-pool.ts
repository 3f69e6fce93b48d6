/** Sizes and ages of the pool from the address; undefined where it has none. */
export interface PoolSettings {
  maxConnections: number | undefined
  maxIdleConnections: number | undefined
  /** 0: no limit */
  maxLifetimeMs: number | undefined
  /** 0: no limit */
  maxIdleTimeMs: number | undefined
}

/**
 * Reads the four parameters that Kratos removes from the address before it connects. A value that cannot be read is
 * replaced by the default and named in a warning, as in Kratos.
 */
export function parsePoolSettings(take: (name: string) => string | undefined, warnings: string[]): PoolSettings {
  const read = (name: string, parse: (text: string) => number | undefined) => {
    const text = take(name)
    if (text === undefined) return undefined
    const value = parse(text)
    if (value === undefined) warnings.push(`dsn: parameter ${name} cannot be read; the default is used`)
    return value
  }
  return {
    maxConnections: read('max_conns', (text) => count(text, 1)),
    maxIdleConnections: read('max_idle_conns', (text) => count(text, 0)),
    maxLifetimeMs: read('max_conn_lifetime', goDurationMs),
    maxIdleTimeMs: read('max_conn_idle_time', goDurationMs),
  }
}

function count(text: string, least: number): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) >= least ? Number(text) : undefined
}

const UNIT_MS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A duration of Go (`1h30m`, `1.5s`, `0`), which has fractions here, unlike in the configuration file. */
function goDurationMs(text: string): number | undefined {
  if (text === '0') return 0
  if (!/^(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(amount) * UNIT_MS[unit!]!
  return Math.round(total)
}
