import type { DatabaseConfig } from '../../config/load-dsn.ts'
import { DURATION, durationToMs } from '../../config/schema/durations.ts'
import { formatTime } from '../../kernel/base/clock.ts'
import type { Db } from '../../kernel/db/client.ts'
import { loadMeta } from '../../kernel/db/meta.ts'
import { createGc, type ExpiringTable, type Gc } from '../../maintenance/service.ts'
import { createGcStore } from '../../maintenance/store.ts'
import type { Cmd } from '../kit/command.ts'
import { databaseOf, statusOnceReachable, withDatabase } from '../kit/database.ts'
import { Failure, UsageError } from '../kit/errors.ts'
import { type Io, print } from '../kit/io.ts'

interface Options {
  config?: string[]
  'database.cleanup.batch_size'?: string
  'database.cleanup.sleep.tables'?: string
  keepLast?: string
}

interface Plan {
  limit: number
  pauseMs: number
  keepMs: number
}

/** @throws Failure, UsageError, ConfigError, StoreUnavailable */
export async function cleanup(io: Io, command: Cmd, dsn: string | undefined): Promise<void> {
  const options = command.optsWithGlobals<Options>()
  const config = databaseOf(io, { files: options.config ?? [], dsn })
  const plan = planOf(options, config, command)
  await withDatabase(io, config, (db) => cleanUp(io, db, plan))
}

/** Flags win over the configuration. */
function planOf(options: Options, { cleanup }: DatabaseConfig, command: Cmd): Plan {
  const { keepLast, 'database.cleanup.batch_size': rows, 'database.cleanup.sleep.tables': pause } = options
  const wrong = (flag: string, value: string, want: string): never => {
    throw new UsageError(`--${flag}: ${JSON.stringify(value)} is not ${want}`, command.helpInformation())
  }
  const duration = (flag: string, text: string | undefined): number | undefined => {
    if (text === undefined) return undefined
    if (text === '0') return 0
    return DURATION.test(text) ? durationToMs(text) : wrong(flag, text, 'a duration such as 90s or 6h30m')
  }
  if (rows !== undefined && !/^[1-9]\d{0,5}$/.test(rows)) {
    wrong('database.cleanup.batch_size', rows, 'a number of rows from 1 to 999999')
  }
  return {
    limit: rows === undefined ? cleanup.batch_size : Number(rows),
    pauseMs: duration('database.cleanup.sleep.tables', pause) ?? cleanup.sleep.tables,
    keepMs: duration('keep-last', keepLast) ?? cleanup.older_than,
  }
}

const NAMES: Partial<Record<ExpiringTable, string>> = {
  continuity_containers: 'continuity containers',
  selfservice_login_flows: 'login flows',
  selfservice_recovery_flows: 'recovery flows',
  selfservice_registration_flows: 'registration flows',
  selfservice_settings_flows: 'settings flows',
  selfservice_verification_flows: 'verification flows',
  session_token_exchanges: 'session token exchangers',
}

async function cleanUp(io: Io, db: Db, { limit, pauseMs, keepMs }: Plan): Promise<void> {
  const gc = await createJob(io, db)
  const until = io.clock.now() - Math.round(keepMs * 1000)
  print(io.stderr, `Cleaning up records older than ${formatTime(until)}`)
  const ended = await gc.endExpiredSessions(limit)
  if (ended > 0) print(io.stderr, `Ended ${ended} sessions whose time is over`)
  const tables = (await gc.existingTables()).filter((table) => NAMES[table] !== undefined)
  const steps = [
    { name: 'sessions', run: () => gc.deleteExpiredSessions({ until, limit }) },
    ...tables.map((table) => ({ name: NAMES[table], run: () => gc.deleteOld(table, { until, limit }) })),
    { name: 'notes on deleted sessions', run: () => gc.deleteOrphans({ until, limit }) },
  ]
  for (const [index, { name, run }] of steps.entries()) {
    print(io.stderr, `Cleaning up expired ${name}`)
    const count = await run()
    if (count === 0) continue
    print(io.stderr, `Deleted ${count} ${name}`)
    // the pause is for the database's sake, so a table with nothing to delete needs none
    if (index < steps.length - 1) await io.sleep(pauseMs)
  }
  print(io.stderr, 'Successfully cleaned up the SQL database! Run it again regularly, since data goes on expiring.')
}

async function createJob(io: Io, db: Db): Promise<Gc> {
  const { problem, pending, kind } = await statusOnceReachable(io, db)
  if (problem !== undefined) throw new Failure(`Error: ${problem}`)
  if (pending > 0) throw new Failure(`Error: ${pending} migrations are pending; run ${io.name} migrate sql up -e first`)
  const { clock, random } = io
  const adopted = kind === 'adopted'
  const meta = await loadMeta(db, { kind: adopted ? 'adopted' : 'owned', now: formatTime(clock.now()), random })
  return createGc({ store: createGcStore(db, meta.nid, adopted), clock })
}
