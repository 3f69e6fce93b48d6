import { Conflict, type Db } from './client.ts'
import { type Migration, readMigrations } from './migration-files.ts'
import { type DatabaseKind, type MigrationState, readState } from './migration-state.ts'

/** The database may not be migrated or used; the message says why and what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

export interface MigrationEntry {
  version: number
  name: string
  status: 'Applied' | 'Pending'
}

export interface MigrationStatus {
  kind: DatabaseKind
  entries: MigrationEntry[]
  pending: number
  /** set when this program must not use the database, whatever is pending */
  problem: string | undefined
}

export interface MigrateOptions {
  onApplied?: (migration: { version: number; name: string }) => void
  /** folder of the files, for tests */
  dir?: string
}

/** Changes nothing. In an adopted database the files that would make Kratos's tables are not listed. */
export async function migrationStatus(db: Db, options: { dir?: string } = {}): Promise<MigrationStatus> {
  const known = await readMigrations(options.dir)
  const state = await readState(db, known)
  const pending = pendingOf(state, known)
  const entries = known
    .filter((migration) => state.kind !== 'adopted' || !migration.owned)
    .map(({ version, name }) => {
      const status = pending.some((m) => m.version === version) ? ('Pending' as const) : ('Applied' as const)
      return { version, name, status }
    })
  return { kind: state.kind, entries, pending: pending.length, problem: state.problem }
}

/**
 * Applies what is pending and returns how many this call applied. Any number of processes may call it at once: each
 * migration begins with its row, whoever inserts it second waits, finds it there and goes on.
 *
 * @throws MigrationError
 */
export async function migrateUp(db: Db, options: MigrateOptions = {}): Promise<number> {
  const known = await readMigrations(options.dir)
  const state = await readState(db, known)
  if (state.problem) throw new MigrationError(state.problem)
  const pending = pendingOf(state, known)
  if (pending.length === 0) return 0
  await db.script(PREPARE)
  let applied = 0
  for (const migration of pending) {
    if (!(await apply(db, migration))) continue
    applied += 1
    options.onApplied?.({ version: migration.version, name: migration.name })
  }
  // what others applied meanwhile may come from a newer version
  const after = await readState(db, known)
  if (after.problem) throw new MigrationError(after.problem)
  return applied
}

function pendingOf(state: MigrationState, known: readonly Migration[]): Migration[] {
  if (state.kind === 'foreign') return []
  const done = new Set(state.applied.map((row) => row.version))
  return known.filter((migration) => !done.has(migration.version) && !(state.kind === 'adopted' && migration.owned))
}

/** The key of the lock is "lethe" in ASCII. `if not exists` alone fails when two run at once (both see nothing there). */
const LOCK = 'select pg_advisory_xact_lock(465558595685)'
const PREPARE = `
begin;
${LOCK};
create schema if not exists lethe;
create table if not exists lethe.migrations (
  version integer primary key,
  name text not null,
  checksum text not null,
  breaking boolean not null,
  applied_at timestamp not null
);
commit`

/** @returns false when another process applied it first */
async function apply(db: Db, migration: Migration): Promise<boolean> {
  try {
    if (migration.noTransaction) {
      await db.script(migration.sql)
      await db.script(rowOf(migration))
    } else {
      await db.script(`begin;\n${LOCK};\n${rowOf(migration)};\n${migration.sql}\n;commit`)
    }
    return true
  } catch (error) {
    if (error instanceof Conflict && error.constraint === 'migrations_pkey') return false
    throw error
  }
}

/** Name and checksum come from a file name of letters and a digest: nothing in them needs quoting. */
function rowOf({ version, name, checksum, breaking }: Migration): string {
  return `insert into lethe.migrations (version, name, checksum, breaking, applied_at)
    values (${version}, '${name}', '${checksum}', ${breaking}, now() at time zone 'utc')`
}
