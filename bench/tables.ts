import type { Comparison, Figures, Spread } from './report.ts'
import type { InterferenceFigures, Result } from './results.ts'

/** A heading and rows of cells. */
export interface Table {
  title: string
  head: string[]
  body: string[][]
}

export const fixed = (digits: number) => (value: number) => value.toFixed(digits)
export const whole = fixed(0)

/** `median (min-max)`, or the median alone where all are written alike. */
export function cell(value: Spread | undefined, write: (n: number) => string): string {
  if (value === undefined) return '-'
  const [median, min, max] = [value.median, value.min, value.max].map(write)
  return min === max ? median! : `${median} (${min}-${max})`
}

/** One table for each number of connections. */
export function loadTables(figures: readonly Figures[]): Table[] {
  const several = new Set(figures.filter(({ plan }) => plan !== 'noop').map(({ target }) => target)).size > 1
  const head = [
    'workload',
    ...(several ? ['server'] : []),
    'requests/s',
    'p50 ms',
    'p99 ms',
    'server CPU s/1000',
    'Postgres CPU s/1000',
    '× no-op',
    'bare/s',
    'rate ratio',
    'share',
    'peak MB',
  ]
  const connections = [...new Set(figures.map((f) => f.connections))].sort((a, b) => a - b)
  return connections.map((count) => ({
    title: `${count} connection${count === 1 ? '' : 's'}`,
    head,
    body: figures
      .filter((f) => f.connections === count)
      .map((f) => [
        f.plan,
        ...(several ? [f.target] : []),
        cell(f.rate, whole),
        fixed(2)(f.p50.median),
        cell(f.p99, fixed(1)),
        cell(median(f.serverCpu), fixed(3)),
        cell(median(f.postgresCpu), fixed(3)),
        cell(median(f.overNoop), fixed(1)),
        cell(median(f.bareRate), whole),
        cell(median(f.rateRatio), fixed(2)),
        cell(f.share, fixed(2)),
        cell(median(f.peakMb), whole),
      ]),
  }))
}

export function comparisonTable(first: string, other: string, rows: readonly Comparison[]): Table {
  return {
    title: `${other} ÷ ${first}`,
    head: ['workload', 'connections', 'requests/s', 'CPU of a request, with Postgres'],
    body: rows.map(({ plan, connections, rate, cpu }) => [
      plan,
      String(connections),
      cell(rate, fixed(2)),
      cell(cpu, fixed(2)),
    ]),
  }
}

const median = (value: Spread | undefined) => value && { median: value.median, min: value.median, max: value.median }

export function asText({ title, head, body }: Table): string {
  const widths = head.map((name, i) => Math.max(name.length, ...body.map((row) => row[i]!.length)))
  const lines = [head, ...body].map((row) =>
    row
      .map((text, i) => text.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
  return [title, ...lines, ''].join('\n')
}

export function asMarkdown({ title, head, body }: Table): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [`**${title}**`, '', line(head), `|${head.map(() => '---|').join('')}`, ...body.map(line), ''].join('\n')
}

/** What a result is of, in a sentence or two. */
export function conditions(result: Result): string {
  const { cpu, cores, memoryGb, node, postgres, pgbench, commit, date } = result.machine
  const several = result.workers > 1 ? `, ${result.workers} workers` : ''
  const on = `${cpu}, ${cores} cores, ${memoryGb} GB; Node ${node}${several}, Postgres ${postgres}`
  const of = `Commit ${commit}, ${date} UTC.`
  const { rounds, seconds } = result
  switch (result.kind) {
    case 'load':
    case 'beside': {
      const bare = { pgbench: `pgbench ${pgbench}`, pg: 'a loop over pg', none: 'not measured' }[result.bare]
      const idle = result.idle.map(({ name, mb }) => `${name} ${mb} MB`).join(', ')
      return (
        `${on}; bare SQL by ${bare}. ${of} ${number(result.sessions)} sessions, shared_buffers ${result.sharedBuffers}, ` +
        `${rounds} rounds of ${seconds} s. Memory before any load: ${idle}.`
      )
    }
    case 'interference':
      return (
        `${on}. ${of} ${number(result.sessions)} sessions, ${result.connections} connections, ${rounds} rounds of ` +
        `${seconds} s; ${result.loginsPerSecond} logins a second arrive, hashed with ${result.hash}.`
      )
    case 'scale':
      return (
        `${on}, shared_buffers ${result.sharedBuffers}. ${of} ${result.connections} connections, ${rounds} rounds. ` +
        'CPU seconds of server and Postgres for 1,000 requests.'
      )
    case 'start':
      return `${on}. ${of} ${rounds} starts each.`
  }
}

export function tablesOf(result: Result): Table[] {
  switch (result.kind) {
    case 'load':
    case 'beside': {
      const { comparisons } = result
      const beside = comparisons ? [comparisonTable(comparisons.first, comparisons.other, comparisons.rows)] : []
      return [...loadTables(result.figures), ...beside]
    }
    case 'interference':
      return [sessionChecks(result), logins(result)]
    case 'scale': {
      const { small, large } = result.sizes
      return [
        {
          title: 'CPU s/1000',
          head: ['workload', `${number(small)} sessions`, `${number(large)} sessions`, 'ratio (aim: up to 1.1)'],
          body: result.figures.map((f) => [
            f.plan,
            cell(f.small, fixed(3)),
            cell(f.large, fixed(3)),
            cell(f.ratio, fixed(2)),
          ]),
        },
      ]
    }
    case 'start':
      return [
        {
          title: 'From the start of the process to the first 200 of /health/ready',
          head: ['database', 'ready after ms', `MB of RAM ${result.seconds} s later`, 'aim'],
          body: result.figures.map((f) => [f.database, cell(f.ready, whole), cell(f.idleMb, whole), AIMS[f.database]]),
        },
      ]
  }
}

const AIMS = { 'a migrated Postgres': '1000 ms, 90 MB', 'a fresh embedded one': '3000 ms' }

function sessionChecks({ quiet, busy, ratio }: InterferenceFigures): Table {
  return {
    title: 'Session checks',
    head: ['', 'nobody logs in', 'many do', 'ratio (aim: up to 3)'],
    body: [
      ['p50 ms', cell(quiet.p50, fixed(1)), cell(busy.p50, fixed(1)), cell(ratio.p50, fixed(2))],
      ['p99 ms', cell(quiet.p99, fixed(1)), cell(busy.p99, fixed(1)), cell(ratio.p99, fixed(2))],
      ['requests/s', cell(quiet.rate, whole), cell(busy.rate, whole), '-'],
    ],
  }
}

const logins = ({ logins }: InterferenceFigures): Table => ({
  title: 'Logins',
  head: ['answer', 'count'],
  body: logins.map(({ answer, count }) => [answer, String(count)]),
})

const number = (value: number) => value.toLocaleString('en')
