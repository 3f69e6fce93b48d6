import { setTimeout as sleep } from 'node:timers/promises'
import type { Options } from './arguments.ts'
import type { LoginsOptions, LoginsResult } from './logins.ts'
import { machine } from './machine.ts'
import { defaultHash } from './passwords.ts'
import { outputOf, postmasterPid, spawnOwn } from './processes.ts'
import { type Row, spread } from './report.ts'
import type { InterferenceFigures, Measured, Progress } from './results.ts'
import { measure, type Setting } from './rounds.ts'
import { identitiesOf, seed } from './seed.ts'
import { migrate, openPostgres, startLethe } from './stand.ts'

/** More than two cores can hash at the default cost: the server has to refuse some, and must not get slow for others. */
const LOGINS_PER_SECOND = 50

/** Time the logins need to fill what waits for a hash, before the session checks beside them are measured. */
const AHEAD_SECONDS = 2

/** How long a session check takes while nobody logs in, and while more people do than can be hashed for. */
export async function interference(options: Options, progress: Progress): Promise<Measured> {
  const { sessions, secret, rounds, seconds } = options
  const connections = options.connections[0]!
  const postgres = await openPostgres(options.sharedBuffers)
  const dsn = postgres.url
  const tables = await migrate(dsn)
  progress(`writing ${sessions} sessions`)
  const hash = await defaultHash()
  await seed(dsn, tables.nid, sessions, { tokens: tables.tokens, hash })
  const half = { first: 1, size: sessions }
  const setting: Setting = { dsn, sessions, half, secret, postgresPid: await postmasterPid(dsn) }
  const pairs: { quiet: Row; busy: Row; logins: LoginsResult }[] = []
  for (let round = 1; round <= rounds; round++) {
    // a new one each time: passwords of the last round may still wait to be hashed
    const lethe = await startLethe({ dsn, secret, workers: options.workers })
    const run = { plan: 'whoami-token' as const, connections, round }
    progress(`round ${round}: quiet`)
    await measure(setting, lethe, { ...run, seconds: 2 })
    const quiet = await measure(setting, lethe, { ...run, seconds })
    progress(`round ${round}: ${LOGINS_PER_SECOND} logins a second`)
    const logins = logIn({
      host: lethe.host,
      port: lethe.port,
      perSecond: LOGINS_PER_SECOND,
      seconds: seconds + AHEAD_SECONDS + 1,
      identities: identitiesOf(sessions),
    })
    await sleep(AHEAD_SECONDS * 1000)
    const busy = await measure(setting, lethe, { ...run, seconds })
    pairs.push({ quiet, busy, logins: await logins })
    await lethe.kill()
  }
  const result: InterferenceFigures = {
    kind: 'interference',
    workers: options.workers,
    machine: await machine(dsn),
    ...{ rounds, seconds, sessions, connections },
    loginsPerSecond: LOGINS_PER_SECOND,
    hash: 'bcrypt, cost 12',
    quiet: figures(pairs.map(({ quiet }) => quiet)),
    busy: figures(pairs.map(({ busy }) => busy)),
    ratio: {
      p50: spread(pairs.map(({ quiet, busy }) => busy.p50 / quiet.p50)),
      p99: spread(pairs.map(({ quiet, busy }) => busy.p99 / quiet.p99)),
    },
    logins: sum(pairs.map(({ logins }) => logins)),
  }
  await postgres.stop()
  return { result, runs: pairs }
}

async function logIn(options: LoginsOptions): Promise<LoginsResult> {
  return JSON.parse(await outputOf(spawnOwn('logins.ts', options)))
}

function figures(rows: readonly Row[]) {
  return {
    p50: spread(rows.map((row) => row.p50)),
    p99: spread(rows.map((row) => row.p99)),
    rate: spread(rows.map((row) => row.requests / row.seconds)),
  }
}

/** @throws where a login got an answer that is neither a session nor a refusal for the moment */
function sum(all: readonly LoginsResult[]): { answer: string; count: number }[] {
  const kinds = [...new Set(all.flatMap((one) => Object.keys(one)))].sort()
  const wrong = kinds.filter((kind) => !/^(200|429|503|without .*)$/.test(kind))
  if (wrong.length > 0) throw new Error(`the run is invalid: logins were answered by ${wrong.join(', ')}`)
  return kinds.map((answer) => ({ answer, count: all.reduce((total, one) => total + (one[answer] ?? 0), 0) }))
}
