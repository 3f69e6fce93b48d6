import { type Adoption, creationProblem } from '../adoption/adoption.ts'
import { Conflict, type Db, sql } from '../client.ts'
import { useHomeSchema } from '../home-schema.ts'
import { type Migration, readMigrations } from './files.ts'
import { type DatabaseKind, type MigrationState, readState, type StateOptions } from './state.ts'

/** The database must not be migrated or used; the message says why and what to do. */
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
  /** the state of Kratos's tables, where there are any */
  adoption: Adoption | undefined
}

export interface MigrateOptions extends Pick<StateOptions, 'acceptNewer'> {
  onApplied?: (migration: { version: number; name: string }) => void
  /** folder of the files, for tests */
  dir?: string
}

/** Changes nothing. In an adopted database the files that would make Kratos's tables are not listed. */
export async function migrationStatus(db: Db, options: StateOptions & { dir?: string } = {}): Promise<MigrationStatus> {
  const known = await readMigrations(options.dir)
  const state = await readState(db, known, options)
  const pending = pendingOf(state, known)
  const entries = known
    .filter((migration) => state.kind !== 'adopted' || !migration.owned)
    .map(({ version, name }) => {
      const status = pending.some((m) => m.version === version) ? ('Pending' as const) : ('Applied' as const)
      return { version, name, status }
    })
  return { kind: state.kind, entries, pending: pending.length, problem: state.problem, adoption: state.adoption }
}

/**
 * Applies what is pending and returns how many this call applied. Any number of processes may call it at once: each
 * migration begins by inserting its row, and a second process waits there, finds the row and continues.
 *
 * @throws MigrationError
 */
export async function migrateUp(db: Db, options: MigrateOptions = {}): Promise<number> {
  const known = await readMigrations(options.dir)
  const state = await readState(db, known, options)
  if (state.problem) throw new MigrationError(state.problem)
  const pending = pendingOf(state, known)
  if (pending.length > 0 && state.kind === 'adopted') {
    const problem = await creationProblem(db)
    if (problem !== undefined) throw new MigrationError(problem)
  }
  const newer = options.acceptNewer ? state.adoption?.newer : undefined
  if (pending.length === 0) {
    if (newer !== undefined) await db.query(ACCEPT, [JSON.stringify(newer)])
    return 0
  }
  await db.script(PREPARE)
  let applied = 0
  for (const migration of pending) {
    if (!(await apply(db, migration))) continue
    applied += 1
    options.onApplied?.({ version: migration.version, name: migration.name })
  }
  if (newer !== undefined) await db.query(ACCEPT, [JSON.stringify(newer)])
  // migrations that others applied meanwhile may come from a newer version
  const after = await readState(db, known)
  if (after.problem) throw new MigrationError(after.problem)
  return applied
}

/** Recorded, so that every node starts, and so that the next newer Kratos is refused again. */
const ACCEPT = sql(
  'migrate.accept_newer',
  `insert into lethe.meta (key, value) values ('kratos_newest', $1::jsonb) on conflict (key) do update set value = $1::jsonb`,
)

function pendingOf(state: MigrationState, known: readonly Migration[]): Migration[] {
  if (state.kind === 'foreign') return []
  const done = new Set(state.applied.map((row) => row.version))
  return known.filter((migration) => !done.has(migration.version) && !(state.kind === 'adopted' && migration.owned))
}

/** The key of the lock is "lethe" in ASCII. `if not exists` alone fails when two run at once, since both see nothing. */
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
      await db.script(migration.sql, { alone: true })
      await db.script(rowOf(migration))
    } else {
      await db.script(`begin;\n${LOCK};\n${useHomeSchema(true)};\n${rowOf(migration)};\n${migration.sql}\n;commit`)
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
