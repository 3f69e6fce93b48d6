import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../test/helpers/free-port.ts'
import type { BareChoice, Options } from './arguments.ts'
import { type Bare, type BareOptions, pgbench, pgLoop } from './bare.ts'
import { residentMb } from './cpu.ts'
import { machine, pgbenchVersion } from './machine.ts'
import { CHEAP_HASHERS, cheapHash } from './passwords.ts'
import { postmasterPid, start } from './processes.ts'
import { compare, summarise } from './report.ts'
import type { LoadFigures, Measured, Progress } from './results.ts'
import { interleave, measure, type Setting, type Target } from './rounds.ts'
import { endableOf, halvesOf } from './rows.ts'
import { seed } from './seed.ts'
import { migrate, openPostgres, startKratos, startLethe } from './stand.ts'

type Stop = () => Promise<void>

/** V8 compiles what a login runs for its first 4,000 or so: after one second of warming up that was two fifths of its CPU. */
const WARM_UP_SECONDS = 8

/** All workloads at each number of connections, beside bare SQL, a server that does nothing, and perhaps another one. */
export async function costs(options: Options, progress: Progress): Promise<Measured> {
  const { sessions, secret, plans, rounds, seconds, connections } = options
  const stops: Stop[] = []
  const dsn = await database(options, stops, progress)
  const tables = await migrate(dsn, options.tokens)
  progress(`writing ${sessions} sessions`)
  await seed(dsn, tables.nid, sessions, { tokens: tables.tokens, hash: await cheapHash() })
  const targets = await servers(options, dsn, stops)
  const noop = await serverOfNothing(stops)

  const halves = halvesOf(sessions)
  const postgresPid = await postmasterPid(dsn)
  const setting: Setting = { dsn, sessions, half: halves.server, secret, postgresPid }
  const [bareBy, bare] = chooseBare(options.bare, { dsn, tables, half: halves.bare, postgresPid }, progress)
  await sleep(3000)
  const idle = [...targets, noop].flatMap(({ name, pid }) =>
    pid === undefined ? [] : [{ name, mb: Math.round(residentMb(pid)) }],
  )
  const most = Math.max(...connections)
  const requests = Math.max(1, endableOf(halves.server) - most)
  for (const plan of plans) {
    progress(`warming up: ${plan}`)
    for (const target of plan === 'noop' ? [noop] : targets) {
      await measure(setting, target, { plan, connections: most, round: 0, seconds: WARM_UP_SECONDS, requests })
    }
  }
  const runs = await interleave({ setting, targets, noop, bare, plans, rounds, seconds, connections, progress })

  const [{ name: first }, other] = targets as [Target, Target | undefined]
  const result: LoadFigures = {
    kind: other === undefined ? 'load' : 'beside',
    machine: await machine(dsn),
    ...{ rounds, seconds, sessions, bare: bareBy, idle, workers: options.workers },
    sharedBuffers: options.dsn === undefined ? options.sharedBuffers : 'as it is',
    figures: summarise(runs.rows, runs.bare),
    ...(other && { comparisons: { first, other: other.name, rows: compare(runs.rows, first, other.name) } }),
  }
  for (const stop of stops.reverse()) await stop()
  return { result, runs }
}

async function database({ dsn, kratos, sharedBuffers }: Options, stops: Stop[], progress: Progress): Promise<string> {
  let address = dsn
  if (address === undefined) {
    progress('starting Postgres with fsync')
    const postgres = await openPostgres(sharedBuffers)
    stops.push(postgres.stop)
    address = postgres.url
  }
  if (kratos !== undefined) {
    progress('letting Kratos make its tables')
    const env = { ...process.env, DSN: address }
    execFileSync(kratos, ['migrate', 'sql', '-e', '--yes'], { env, stdio: 'pipe' })
  }
  return address
}

/** Ours first. */
async function servers({ kratos, other, secret, workers }: Options, dsn: string, stops: Stop[]): Promise<Target[]> {
  const options = { dsn, secret, hashers: CHEAP_HASHERS }
  const started = [await startLethe({ ...options, workers })]
  if (kratos !== undefined) started.push(await startKratos(kratos, options))
  stops.push(...started.map(({ stop }) => stop))
  if (other === undefined) return started
  const { url, pid, name } = other
  return [...started, { name, host: url.hostname, port: Number(url.port || 80), pid }]
}

async function serverOfNothing(stops: Stop[]): Promise<Target> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/noop`
  const { pid, stop } = await start(process.execPath, ['bench/noop.mjs', String(port)], {}, url)
  stops.push(stop)
  return { name: 'no-op', host: '127.0.0.1', port, pid }
}

function chooseBare(
  wanted: BareChoice | undefined,
  options: BareOptions,
  progress: Progress,
): [BareChoice, Bare | undefined] {
  const installed = pgbenchVersion() !== undefined
  if (wanted === 'none') return ['none', undefined]
  if (wanted === 'pgbench' && !installed) throw new Error('--bare pgbench: pgbench is not installed')
  if (wanted === undefined && !installed) {
    progress('pgbench is not installed: bare SQL is sent by a loop over pg instead, which needs more CPU itself')
  }
  return wanted === 'pg' || !installed ? ['pg', pgLoop(options)] : ['pgbench', pgbench(options)]
}
