import type { Options } from './arguments.ts'
import { machine } from './machine.ts'
import { cheapHash } from './passwords.ts'
import { postmasterPid } from './processes.ts'
import { cpuOf, type Row, spread } from './report.ts'
import type { Measured, Progress, ScaleFigures } from './results.ts'
import { measure, type Setting } from './rounds.ts'
import { endableOf } from './rows.ts'
import { seed } from './seed.ts'
import { createDatabase, migrate, openPostgres, type Server, startLethe } from './stand.ts'
import type { Plan } from './workloads.ts'

const SMALL = 10_000
const PLANS: readonly Plan[] = ['whoami-token', 'native-logout']

interface Size {
  name: 'small' | 'large'
  setting: Setting
  server: Server
}

/** What a request costs with few sessions in the table and with many. Both stand in one Postgres and take turns. */
export async function scale(options: Options, progress: Progress): Promise<Measured> {
  const { rounds, seconds, secret } = options
  const connections = options.connections[0]!
  const large = options.sessions
  const postgres = await openPostgres(options.sharedBuffers, ['max_wal_size=8GB'])
  const sizes: Size[] = []
  for (const [name, sessions] of [
    ['small', SMALL],
    ['large', large],
  ] as const) {
    const dsn = await createDatabase(postgres.url, name)
    const tables = await migrate(dsn)
    progress(`writing ${sessions} sessions`)
    await seed(dsn, tables.nid, sessions, { tokens: tables.tokens, hash: await cheapHash() })
    const half = { first: 1, size: sessions }
    const setting = { dsn, sessions, half, secret, postgresPid: await postmasterPid(dsn) }
    sizes.push({ name, setting, server: await startLethe({ dsn, secret, workers: options.workers }) })
  }
  // As many of each: what it costs to begin must not count for more where there is less to do.
  const requests = endableOf({ first: 1, size: SMALL })
  const rows: (Row & { size: Size['name'] })[] = []
  for (let round = 0; round <= rounds; round++) {
    for (const plan of PLANS) {
      for (const { name, setting, server } of round % 2 === 0 ? sizes : [...sizes].reverse()) {
        progress(`${round === 0 ? 'warming up' : `round ${round}`}: ${plan}, ${setting.sessions} sessions`)
        const length = plan === 'native-logout' ? { seconds: 600, requests: requests - connections } : { seconds }
        const row = await measure(setting, server, { plan, connections, round, ...length })
        if (round > 0) rows.push({ ...row, size: name })
      }
    }
  }
  const result: ScaleFigures = {
    kind: 'scale',
    workers: options.workers,
    machine: await machine(sizes[0]!.setting.dsn),
    ...{ rounds, seconds, connections },
    sharedBuffers: options.sharedBuffers,
    sizes: { small: SMALL, large },
    figures: PLANS.map((plan) =>
      figuresOf(
        plan,
        rows.filter((row) => row.plan === plan),
      ),
    ),
  }
  for (const { server } of sizes) await server.stop()
  await postgres.stop()
  return { result, runs: rows }
}

function figuresOf(plan: Plan, rows: (Row & { size: Size['name'] })[]) {
  const cost = (row: Row) => (cpuOf(row)! / row.requests) * 1000
  const [small, large] = (['small', 'large'] as const).map((size) => rows.filter((row) => row.size === size))
  return {
    plan,
    small: spread(small!.map(cost)),
    large: spread(large!.map(cost)),
    ratio: spread(large!.map((row) => cost(row) / cost(small!.find(({ round }) => round === row.round)!))),
  }
}
