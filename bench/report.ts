import type { BareResult } from './processes.ts'
import type { Plan } from './workloads.ts'

export interface Row {
  plan: Plan
  round: number
  requests: number
  seconds: number
  p50: number
  p99: number
  cpu: { server: number; postgres: number }
  bare: BareResult | undefined
}

export interface Figures {
  plan: Plan
  rate: Spread
  p50: number
  p99: number
  /** CPU seconds of 1,000 requests */
  serverCpu: number
  postgresCpu: number
  /** bare SQL's rate of the same work; a browser logout is two requests and one transaction */
  bareRate: number | undefined
  rateRatio: number | undefined
  /** CPU of bare SQL for a unit of work ÷ CPU of server and Postgres for the same */
  share: Spread | undefined
}

interface Spread {
  median: number
  min: number
  max: number
}

function spread(values: number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)]!, min: sorted[0]!, max: sorted.at(-1)! }
}

const unitsOf = (row: Row) => (row.plan === 'browser-logout' ? row.requests / 2 : row.requests)

export function medianRow(rows: Row[]): Figures {
  const per = (pick: (row: Row) => number) => spread(rows.map(pick))
  const hasBare = rows.every(({ bare }) => bare !== undefined)
  const share = (row: Row) =>
    row.bare!.cpuSeconds / row.bare!.requests / ((row.cpu.server + row.cpu.postgres) / unitsOf(row))
  return {
    plan: rows[0]!.plan,
    rate: per((row) => row.requests / row.seconds),
    p50: per((row) => row.p50).median,
    p99: per((row) => row.p99).median,
    serverCpu: per((row) => (row.cpu.server / row.requests) * 1000).median,
    postgresCpu: per((row) => (row.cpu.postgres / row.requests) * 1000).median,
    bareRate: hasBare ? per((row) => row.bare!.requests / row.bare!.seconds).median : undefined,
    rateRatio: hasBare
      ? per((row) => unitsOf(row) / row.seconds / (row.bare!.requests / row.bare!.seconds)).median
      : undefined,
    share: hasBare ? per(share) : undefined,
  }
}

export function table(figures: Figures[]): string {
  const head = [
    'workload',
    'requests/s (min-max)',
    'p50 ms',
    'p99 ms',
    'server CPU s/1000',
    'Postgres CPU s/1000',
    'bare/s',
    'rate ratio',
    'share (min-max)',
  ]
  const body = figures.map((f) => [
    f.plan,
    `${round(f.rate.median)} (${round(f.rate.min)}-${round(f.rate.max)})`,
    String(f.p50),
    String(f.p99),
    f.serverCpu.toFixed(3),
    f.postgresCpu.toFixed(3),
    f.bareRate === undefined ? '-' : round(f.bareRate),
    f.rateRatio?.toFixed(2) ?? '-',
    f.share === undefined ? '-' : `${f.share.median.toFixed(2)} (${f.share.min.toFixed(2)}-${f.share.max.toFixed(2)})`,
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((row) => row[i]!.length)))
  return [head, ...body].map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')).join('\n')
}

const round = (value: number) => String(Math.round(value))
