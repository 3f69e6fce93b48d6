import type { DatabaseConfig } from '../../config/load-dsn.ts'
import type { Db } from '../../kernel/db/client.ts'
import { type MigrationStatus, migrateUp } from '../../kernel/db/migrations/migrate.ts'
import type { Cmd } from '../kit/command.ts'
import { confirm } from '../kit/confirm.ts'
import { databaseOf, statusOnceReachable, withDatabase } from '../kit/database.ts'
import { Failure, UsageError } from '../kit/errors.ts'
import { type Io, print } from '../kit/io.ts'
import { type FormatOptions, writeFormatted } from '../kit/output.ts'
import { formatTable } from '../kit/table.ts'

interface Options extends FormatOptions {
  config?: string[]
  readFromEnv?: boolean
  yes?: boolean
  block?: boolean
  steps?: string
  newerKratos?: boolean
}

export async function up(io: Io, command: Cmd, dsn: string | undefined): Promise<void> {
  const { yes, newerKratos: acceptNewer = false } = command.optsWithGlobals<Options>()
  await withDatabase(io, targetOf(io, command, dsn), async (db) => {
    const plan = checked(await statusOnceReachable(io, db, { acceptNewer }))
    const newer = acceptNewer ? plan.adoption?.newer : undefined
    if (plan.pending === 0 && newer === undefined) {
      return print(io.stdout, 'Migrations already up to date, nothing to apply')
    }
    if (plan.kind === 'adopted') print(io.stderr, ownerOf(plan))
    if (newer !== undefined) print(io.stderr, `The tables as a newer Kratos left them (${newer}) are accepted.`)
    io.stdout.write(`The migration plan is as follows:\n${formatTable(rowsOf(plan))}\n`)
    if (yes !== true) await confirm(io, 'Do you wish to execute this migration plan?')
    const onApplied = (migration: { version: number; name: string }) =>
      print(io.stderr, `applied ${versionText(migration.version)} ${migration.name}`)
    const count = await migrateUp(db, { onApplied, acceptNewer })
    print(io.stderr, `Successfully applied ${count} migrations.`)
    print(io.stdout, '------------ SUCCESS ------------\nSuccessfully applied migrations!')
  })
}

export async function status(io: Io, command: Cmd, dsn: string | undefined): Promise<void> {
  const options = command.optsWithGlobals<Options>()
  await withDatabase(io, targetOf(io, command, dsn), async (db) => {
    const found = checked(options.block ? await untilApplied(io, db) : await statusOnceReachable(io, db))
    print(io.stderr, ownerOf(found))
    writeFormatted(io, options, {
      value: found.entries.map(({ version, name, status: state }) => ({
        version: versionText(version),
        name,
        status: state,
      })),
      table: rowsOf(found),
      ids: found.entries.map(({ version }) => versionText(version)),
    })
  })
}

async function untilApplied(io: Io, db: Db): Promise<MigrationStatus> {
  for (;;) {
    const found = await statusOnceReachable(io, db)
    if (found.pending === 0 || found.problem !== undefined) return found
    print(io.stderr, `${found.pending} migrations are pending, waiting`)
    await io.sleep(1000)
  }
}

export function down(command: Cmd): never {
  const { steps } = command.optsWithGlobals<Options>()
  if (!(Number(steps) > 0)) {
    throw new Failure(
      'There are apparently no migrations to roll back.\nPlease provide the --steps argument with a value larger than 0.',
    )
  }
  throw new Failure(
    'Migrations go forward only, since going back would delete data. Older versions work with a newer database unless a\n' +
      'migration says otherwise; for that case restore the backup that was made before it was applied.',
  )
}

function targetOf(io: Io, command: Cmd, dsn: string | undefined): DatabaseConfig {
  const { config = [], readFromEnv } = command.optsWithGlobals<Options>()
  if (dsn === undefined && readFromEnv !== true) {
    throw new UsageError('name the database as an argument, or use -e with the variable DSN', command.helpInformation())
  }
  return databaseOf(io, { files: config, dsn: readFromEnv ? undefined : dsn })
}

function checked(found: MigrationStatus): MigrationStatus {
  if (found.problem !== undefined) throw new Failure(`Error: ${found.problem}`)
  return found
}

function ownerOf({ kind }: MigrationStatus): string {
  if (kind === 'adopted')
    return 'Database: adopted. Its tables are those of Kratos and stay as they are; ours is the schema lethe.'
  return kind === 'owned' ? 'Database: owned. All of its tables are ours.' : 'Database: empty.'
}

function rowsOf({ entries }: MigrationStatus): string[][] {
  return [['Version', 'Name', 'Status'], ...entries.map((m) => [versionText(m.version), m.name, m.status])]
}

const versionText = (version: number) => String(version).padStart(4, '0')
