import { ConfigError } from '../../config/load.ts'
import { type DatabaseConfig, loadDsn } from '../../config/load-dsn.ts'
import { type Db, StoreUnavailable } from '../../kernel/db/client.ts'
import { type MigrationStatus, migrationStatus } from '../../kernel/db/migrations/migrate.ts'
import { openDb } from '../../kernel/db/open.ts'
import { Failure } from './errors.ts'
import { type Io, print } from './io.ts'

/** A job may take long where a request may not: an index on a large table, a lock that a running server holds. */
const JOB_LIMITS = { maxConnections: 2, statementTimeoutMs: 3_600_000, lockTimeoutMs: 60_000 }

/** A database that starts together with the job is waited for, at most this long. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 2000

/** @throws Failure naming what is missing, ConfigError for what is wrong */
export function databaseOf(io: Io, given: { files: string[]; dsn?: string | undefined }): DatabaseConfig {
  try {
    return loadDsn({ files: given.files, env: given.dsn === undefined ? io.env : { ...io.env, DSN: given.dsn } })
  } catch (error) {
    const missing = error instanceof ConfigError && error.problems.every(({ path }) => path === 'dsn')
    throw missing ? new Failure(`dsn must be set\n\n${error.message}`) : error
  }
}

/** Opens the database, hands it over and closes it. */
export async function withDatabase<T>(io: Io, { dsn }: DatabaseConfig, work: (db: Db) => Promise<T>): Promise<T> {
  const onError = (error: Error) => print(io.stderr, `database connection: ${error.message}`)
  const onWarning = (message: string) => print(io.stderr, message)
  const db = await openDb(dsn, { ...JOB_LIMITS, onError, onWarning, applicationName: 'lethe-job' })
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

/** @throws StoreUnavailable when the database does not answer for a minute, or refuses the name or the password */
export async function statusOnceReachable(
  io: Io,
  db: Db,
  options: { acceptNewer?: boolean } = {},
): Promise<MigrationStatus> {
  for (let waited = 0; ; waited += PAUSE_MS) {
    try {
      return await migrationStatus(db, options)
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || waited >= PATIENCE_MS || isRefusal(error)) throw error
      print(io.stderr, `${error.message}; trying again`)
      await io.sleep(PAUSE_MS)
    }
  }
}

/** Wrong name, password or database (classes 28 and 3D): waiting helps with none of them. */
const isRefusal = (error: Error) => /\(SQLSTATE (28|3D)/.test(error.message)
