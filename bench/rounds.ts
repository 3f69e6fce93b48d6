import type { Bare } from './bare.ts'
import { cpuSeconds, forgetPeak, peakMb } from './cpu.ts'
import { load } from './processes.ts'
import type { BareRow, Row } from './report.ts'
import type { Half } from './rows.ts'
import { endedSessions, revive } from './seed.ts'
import { hasBare } from './statements.ts'
import { CHANGING, type Plan } from './workloads.ts'

export interface Target {
  name: string
  host: string
  port: number
  /** undefined where it runs elsewhere: then without CPU and memory */
  pid: number | undefined
}

export interface Setting {
  dsn: string
  sessions: number
  /** the sessions that servers may use */
  half: Half
  secret: string
  postgresPid: number | undefined
}

export interface Length {
  seconds: number
  requests?: number
}

/** One run. @throws when an answer is not the expected one, or a session did not end that was said to have */
export async function measure(
  setting: Setting,
  target: Target,
  run: { plan: Plan; connections: number; round: number } & Length,
): Promise<Row> {
  const { plan, connections, round, ...length } = run
  const changes = CHANGING.includes(plan)
  if (changes) await revive(setting.dsn)
  const cpu = () => ({ server: at(target.pid), postgres: at(setting.postgresPid) })
  if (target.pid !== undefined) forgetPeak(target.pid)
  const before = cpu()
  const { half, sessions, secret } = setting
  const { host, port } = target
  const result = await load({ host, port, connections, plan, half, sessions, secret, ...length })
  const after = cpu()
  const memory = target.pid === undefined ? undefined : peakMb(target.pid)
  const wrong = [...result.wrong]
  if (changes && wrong.length === 0) {
    const ended = await endedSessions(setting.dsn)
    if (ended !== result.ended) wrong.push(`${result.ended} sessions were said to have ended, ${ended} have`)
  }
  if (wrong.length > 0) {
    throw new Error(`the run is invalid: ${plan} of ${target.name} got\n${wrong.join('\n')}`)
  }
  const used = {
    server: minus(after.server, before.server),
    postgres: plan === 'noop' ? undefined : minus(after.postgres, before.postgres),
  }
  const { requests, seconds, p50, p99 } = result
  return { target: target.name, plan, connections, round, requests, seconds, p50, p99, cpu: used, peakMb: memory }
}

const at = (pid: number | undefined) => (pid === undefined ? undefined : cpuSeconds(pid))
const minus = (a: number | undefined, b: number | undefined) => (a === undefined || b === undefined ? undefined : a - b)

export interface Course {
  setting: Setting
  targets: Target[]
  noop: Target
  bare: Bare | undefined
  plans: Plan[]
  connections: number[]
  rounds: number
  seconds: number
  progress(text: string): void
}

/**
 * Everything once in each round. Who is compared runs one after the other, since a machine changes from minute to minute,
 * and in another order in each round, since the second one may find a warmer machine or a hotter one.
 */
export async function interleave(course: Course): Promise<{ rows: Row[]; bare: BareRow[] }> {
  const rows: Row[] = []
  const bare: BareRow[] = []
  for (let round = 1; round <= course.rounds; round++) {
    for (const connections of turned(course.connections, round)) {
      for (const plan of turned(course.plans, round)) {
        for (const who of turned(contendersOf(course, plan), round)) {
          course.progress(`round ${round}, ${connections} connections: ${plan}, ${who === 'bare' ? who : who.name}`)
          const run = { plan, connections, round, seconds: course.seconds }
          if (who === 'bare') bare.push(await measureBare(course, run))
          else rows.push(await measure(course.setting, who, run))
        }
      }
    }
  }
  return { rows: inOrder(course, rows), bare }
}

export function contendersOf(
  { targets, noop, bare }: Pick<Course, 'targets' | 'noop' | 'bare'>,
  plan: Plan,
): (Target | 'bare')[] {
  if (plan === 'noop') return [noop]
  return [...targets, ...(bare && hasBare(plan) ? ['bare' as const] : [])]
}

/** Backwards in every second round. */
const turned = <T>(list: readonly T[], round: number): T[] => (round % 2 === 1 ? [...list] : [...list].reverse())

/** As they were asked for, however they were run. */
function inOrder({ connections, plans, targets }: Course, rows: Row[]): Row[] {
  const names = targets.map(({ name }) => name)
  const place = (row: Row) => [connections.indexOf(row.connections), plans.indexOf(row.plan), names.indexOf(row.target)]
  return [...rows].sort((a, b) => {
    const [x, y] = [place(a), place(b)]
    const differs = x.findIndex((value, i) => value !== y[i])
    return differs === -1 ? a.round - b.round : x[differs]! - y[differs]!
  })
}

async function measureBare(
  { bare, setting }: Course,
  { plan, connections, round, seconds }: { plan: Plan; connections: number; round: number; seconds: number },
): Promise<BareRow> {
  const changes = CHANGING.includes(plan)
  if (changes) await revive(setting.dsn)
  const result = await bare!(plan, connections, seconds)
  if (changes && plan !== 'mix') {
    const ended = await endedSessions(setting.dsn)
    // a statement that finds nothing to end is cheap, and the comparison would be with something else
    if (ended < result.units * 0.99) {
      throw new Error(
        `the run is invalid: ${plan} as bare SQL ran ${result.units} times and ended ${ended} sessions; ` +
          'more --sessions, or fewer --seconds',
      )
    }
  }
  return { plan, connections, round, ...result }
}
