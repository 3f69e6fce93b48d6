/**
 * What a session check and a logout cost, beside bare SQL on the same tables and beside a server that does nothing:
 * `npm run bench -- [--sessions N] [--connections N] [--seconds N] [--rounds N] [--plans a,b] [--json FILE]`.
 * Rounds are interleaved, every answer is checked, and one wrong answer makes the run invalid.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { formatTime } from '../src/clock.ts'
import { loadMeta } from '../src/db/meta.ts'
import { migrateUp } from '../src/db/migrate.ts'
import { openDb } from '../src/db/open.ts'
import { startPostgres } from '../test/helpers/postgres.ts'
import { cpuSeconds, residentMb } from './cpu.ts'
import { commit, hasPgbench, load, pgbench, postmasterPid, start } from './processes.ts'
import { medianRow, type Row, table } from './report.ts'
import { revive, seed } from './seed.ts'
import { bareStatements } from './statements.ts'
import { type Plan, sqlOf } from './workloads.ts'

const { values: args } = parseArgs({
  options: {
    sessions: { type: 'string', default: '200000' },
    connections: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    plans: { type: 'string', default: 'noop,whoami-token,whoami-cookie,init,browser-logout,native-logout,mix' },
    json: { type: 'string' },
  },
})
const sessions = Number(args.sessions)
const connections = Number(args.connections)
const seconds = Number(args.seconds)
const half = Math.floor(sessions / 2)
const plans = args.plans.split(',') as Plan[]
const SECRET = 'a-secret-of-the-benchmark-only'
const [PUBLIC, ADMIN, NOOP] = [24433, 24434, 24435]

const progress = (text: string) => process.stderr.write(`${text}\n`)
const dir = mkdtempSync(join(tmpdir(), 'lethe-bench-'))

progress('starting Postgres with fsync')
const postgres = await startPostgres(['unix_socket_directories=', 'max_connections=300', 'shared_buffers=512MB'])
const dsn = postgres.url
const db = await openDb(dsn)
await migrateUp(db)
const meta = await loadMeta(db, { kind: 'owned', now: formatTime(Date.now() * 1000), random: randomBytes })
await db.close()
progress(`writing ${sessions} sessions`)
await seed(dsn, meta.nid, sessions)

const config = join(dir, 'kratos.json')
writeFileSync(config, JSON.stringify(configuration()))
const server = await start(['dist/cli.js', 'serve', '-c', config], {}, `http://127.0.0.1:${PUBLIC}/health/ready`)
const noop = await start(['--import', 'tsx', 'bench/noop.ts', String(NOOP)], {}, `http://127.0.0.1:${NOOP}/noop`)
const postgresPid = await postmasterPid(dsn)
const rows: Row[] = []
let used = 1

for (const plan of plans) await run(plan, 1, 1)
await fresh()
rows.length = 0
for (let round = 1; round <= Number(args.rounds); round++) {
  for (const plan of plans) {
    progress(`round ${round}: ${plan}`)
    await run(plan, round, seconds)
  }
  await fresh()
}
const summary = plans.map((plan) => medianRow(rows.filter((row) => row.plan === plan)))
process.stdout.write(`${table(summary)}\nmemory of the server: ${Math.round(residentMb(server.pid))} MB\n`)
if (args.json !== undefined) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }
  writeFileSync(
    args.json,
    `${JSON.stringify({ commit: commit(), machine, sessions, connections, seconds, rows, summary }, null, 2)}\n`,
  )
}
await server.stop()
await noop.stop()
await postgres.stop()

async function fresh(): Promise<void> {
  await revive(dsn)
  used = 1
}

async function run(plan: Plan, round: number, length: number): Promise<void> {
  const port = plan === 'noop' ? NOOP : PUBLIC
  const pid = plan === 'noop' ? noop.pid : server.pid
  const before = [cpuSeconds(pid), cpuSeconds(postgresPid)] as const
  const result = await load({
    host: '127.0.0.1',
    port,
    connections,
    seconds: length,
    plan,
    rows: [used, half],
    secret: SECRET,
    serverSecret: meta.serverSecret.toString('base64'),
  })
  if (result.wrong.length > 0) throw new Error(`the run is invalid: ${plan} got\n${result.wrong.join('\n')}`)
  const cpu = { server: cpuSeconds(pid) - before[0], postgres: cpuSeconds(postgresPid) - before[1] }
  if (plan !== 'noop') used = Math.min(half - 1000, used + result.requests)
  rows.push({ plan, round, ...result, cpu, bare: await bare(plan, length) })
}

async function bare(plan: Plan, length: number) {
  if (plan === 'noop' || !hasPgbench()) return undefined
  const file = join(dir, `${plan}.sql`)
  writeFileSync(file, sqlOf(plan, bareStatements, meta.nid, sessions))
  return pgbench(dsn, file, connections, length, postgresPid)
}

function configuration() {
  const at = (port: number) => ({ host: '127.0.0.1', port, base_url: `http://127.0.0.1:${port}/` })
  return {
    dsn,
    serve: { public: at(PUBLIC), admin: at(ADMIN) },
    secrets: { cookie: [SECRET] },
    log: { level: 'error' },
    selfservice: { default_browser_return_url: 'http://127.0.0.1:4455/' },
    identity: { schemas: [{ id: 'default', url: 'file://./config/identity.default.schema.json' }] },
  }
}
