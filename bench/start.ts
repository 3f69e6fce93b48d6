import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Options } from './arguments.ts'
import { residentMb } from './cpu.ts'
import { machine } from './machine.ts'
import { spread } from './report.ts'
import type { Measured, Progress, StartFigures } from './results.ts'
import { migrate, openPostgres, startLethe } from './stand.ts'

/** How soon a server answers after its start, and how much memory it has when nothing was asked of it. */
export async function startTimes(options: Options, progress: Progress): Promise<Measured> {
  const { rounds, seconds, secret } = options
  const postgres = await openPostgres(options.sharedBuffers)
  await migrate(postgres.url)
  const dir = mkdtempSync(join(tmpdir(), 'lethe-bench-'))
  const databases = [
    ['a migrated Postgres', () => postgres.url],
    ['a fresh embedded one', (round: number) => `pglite://${join(dir, String(round))}`],
  ] as const
  const runs: { database: (typeof databases)[number][0]; ready: number; idleMb: number }[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const [database, dsn] of databases) {
      progress(`start ${round}: ${database}`)
      const server = await startLethe({ dsn: dsn(round), secret, workers: options.workers })
      await sleep(seconds * 1000)
      runs.push({ database, ready: server.readyAfter, idleMb: residentMb(server.pid) })
      await server.stop()
    }
  }
  const result: StartFigures = {
    kind: 'start',
    workers: options.workers,
    machine: await machine(postgres.url),
    ...{ rounds, seconds },
    figures: databases.map(([database]) => {
      const own = runs.filter((run) => run.database === database)
      return { database, ready: spread(own.map(({ ready }) => ready)), idleMb: spread(own.map(({ idleMb }) => idleMb)) }
    }),
  }
  await postgres.stop()
  rmSync(dir, { recursive: true })
  return { result, runs }
}
