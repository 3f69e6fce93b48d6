import { existsSync, openAsBlob } from 'node:fs'
import { join } from 'node:path'
import type { Db } from './client.ts'
import { openPostgres, type PostgresOptions } from './postgres/client.ts'
import { parseDsn } from './postgres/dsn.ts'

export type OpenOptions = Partial<Omit<PostgresOptions, 'dsn'>> & {
  /** called when others could reach the folder of an embedded database */
  onWarning?: ((message: string) => void) | undefined
}

/** With these a request gets its answer or its 503 within ten seconds, whatever the database does. */
const DEFAULTS = {
  connectTimeoutMs: 3000,
  acquireTimeoutMs: 4000,
  statementTimeoutMs: 5000,
  lockTimeoutMs: 2000,
  applicationName: 'lethe',
}

/**
 * Opens the database at an address: `memory`, `pglite://DIR` or `postgres://…`.
 *
 * @throws DsnError, DataDirInUse, DataDirUnusable, DataDirOpen
 */
export async function openDb(dsn: string, options: OpenOptions = {}): Promise<Db> {
  const parsed = parseDsn(dsn)
  const { onWarning, ...limits } = options
  if (parsed.kind === 'postgres') return openPostgres({ ...DEFAULTS, ...defined(limits), dsn })
  const { acquireTimeoutMs, onStatement } = options
  // Not loaded with a Postgres: it takes 8 MB.
  const { openPglite } = await import('./pglite/client.ts')
  const loadDataDir = await emptyDatabase(parsed.dataDir)
  return openPglite({ dataDir: parsed.dataDir, acquireTimeoutMs, onStatement, loadDataDir, onWarning })
}

/**
 * The empty database from the build, for a folder without one; without a build, the engine makes its own. PG_VERSION is
 * among the last files to be unpacked, so a half-filled folder is filled again.
 */
async function emptyDatabase(dataDir: string | undefined): Promise<Blob | undefined> {
  if (dataDir !== undefined && existsSync(join(dataDir, 'PG_VERSION'))) return undefined
  const archive = new URL('../../embedded.tar', import.meta.url)
  return existsSync(archive) ? openAsBlob(archive) : undefined
}

function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
