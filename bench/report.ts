import type { BareResult } from './bare.ts'
import { type Plan, requestsPerUnit } from './workloads.ts'

/** One run of one workload against one server. */
export interface Row {
  /** `lethe`, or the name of another server; `no-op` */
  target: string
  plan: Plan
  connections: number
  round: number
  requests: number
  seconds: number
  p50: number
  p99: number
  /** CPU seconds; undefined where the process is not on this machine */
  cpu: { server: number | undefined; postgres: number | undefined }
  /** MB of RAM, at most, while it ran */
  peakMb: number | undefined
}

/** One run of the same work as bare SQL. */
export interface BareRow extends BareResult {
  plan: Plan
  connections: number
  round: number
}

export interface Spread {
  median: number
  min: number
  max: number
}

/** All rounds of a workload against a server. Times in ms, CPU in seconds for 1,000 requests. */
export interface Figures {
  target: string
  plan: Plan
  connections: number
  /** requests a second */
  rate: Spread
  p50: Spread
  p99: Spread
  serverCpu?: Spread
  postgresCpu?: Spread
  peakMb?: Spread
  /** CPU of the server ÷ that of the server that does nothing */
  overNoop?: Spread
  /** units of work a second of bare SQL */
  bareRate?: Spread
  /** units of work a second ÷ those of bare SQL */
  rateRatio?: Spread
  /** CPU of bare SQL for a unit of work ÷ CPU of server and Postgres for the same */
  share?: Spread
}

/** Of an even number of values the lower one of the two in the middle. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: sorted[Math.floor((sorted.length - 1) / 2)]!, min: sorted[0]!, max: sorted.at(-1)! }
}

/** Undefined when a value is missing: a spread of fewer rounds than were run would mislead. */
function spreadOf<T>(rows: readonly T[], pick: (row: T) => number | undefined): Spread | undefined {
  const values = rows.map(pick).filter((value) => value !== undefined && Number.isFinite(value)) as number[]
  return rows.length > 0 && values.length === rows.length ? spread(values) : undefined
}

/**
 * Ratios are taken within a round, of runs that followed each other, and then the median: a machine changes from minute
 * to minute.
 */
export function summarise(rows: readonly Row[], bare: readonly BareRow[]): Figures[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = [row.connections, row.plan, row.target].join()
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()].map((group) => figuresOf(group, rows, bare))
}

function figuresOf(rows: Row[], all: readonly Row[], bare: readonly BareRow[]): Figures {
  const { target, plan, connections } = rows[0]!
  const sameRun = (row: Row) => (other: { connections: number; round: number }) =>
    other.connections === row.connections && other.round === row.round
  const bareOf = (row: Row) => bare.find((other) => other.plan === plan && sameRun(row)(other))
  const noopOf = (row: Row) => all.find((other) => other.plan === 'noop' && sameRun(row)(other))
  const units = (row: Row) => row.requests / requestsPerUnit(plan)
  const optional = {
    serverCpu: spreadOf(rows, (row) => divide(times(row.cpu.server, 1000), row.requests)),
    postgresCpu: spreadOf(rows, (row) => divide(times(row.cpu.postgres, 1000), row.requests)),
    peakMb: spreadOf(rows, (row) => row.peakMb),
    overNoop: spreadOf(rows, (row) => {
      const noop = noopOf(row)
      return noop && divide(divide(row.cpu.server, row.requests), divide(noop.cpu.server, noop.requests))
    }),
    bareRate: spreadOf(rows, (row) => divide(bareOf(row)?.units, bareOf(row)?.seconds)),
    rateRatio: spreadOf(rows, (row) =>
      divide(units(row) / row.seconds, divide(bareOf(row)?.units, bareOf(row)?.seconds)),
    ),
    share: spreadOf(rows, (row) =>
      divide(divide(bareOf(row)?.cpuSeconds, bareOf(row)?.units), divide(cpuOf(row), units(row))),
    ),
  }
  return {
    target,
    plan,
    connections,
    rate: spread(rows.map((row) => row.requests / row.seconds)),
    p50: spread(rows.map((row) => row.p50)),
    p99: spread(rows.map((row) => row.p99)),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  }
}

/** CPU seconds of server and Postgres together. */
export function cpuOf({ cpu }: Pick<Row, 'cpu'>): number | undefined {
  return cpu.server === undefined || cpu.postgres === undefined ? undefined : cpu.server + cpu.postgres
}

/** What another server needs beside the first: of rates more is better, of CPU less. */
export interface Comparison {
  plan: Plan
  connections: number
  /** the other's requests a second ÷ the first's */
  rate: Spread
  /** CPU of the other and of Postgres for a request ÷ that of the first */
  cpu?: Spread
}

export function compare(rows: readonly Row[], first: string, other: string): Comparison[] {
  const pairs = rows
    .filter((row) => row.target === other)
    .flatMap((row) => {
      const same = (candidate: Row) =>
        candidate.target === first &&
        candidate.plan === row.plan &&
        candidate.connections === row.connections &&
        candidate.round === row.round
      const twin = rows.find(same)
      return twin ? [{ row, twin }] : []
    })
  const keys = [...new Set(pairs.map(({ row }) => `${row.connections},${row.plan}`))]
  return keys.map((key) => {
    const group = pairs.filter(({ row }) => `${row.connections},${row.plan}` === key)
    const { plan, connections } = group[0]!.row
    const rate = spread(group.map(({ row, twin }) => row.requests / row.seconds / (twin.requests / twin.seconds)))
    const cpu = spreadOf(group, ({ row, twin }) =>
      divide(divide(cpuOf(row), row.requests), divide(cpuOf(twin), twin.requests)),
    )
    return { plan, connections, rate, ...(cpu && { cpu }) }
  })
}

const times = (a: number | undefined, b: number) => (a === undefined ? undefined : a * b)
const divide = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? undefined : a / b
