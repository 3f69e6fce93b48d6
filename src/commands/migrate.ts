import type { DatabaseConfig } from '../config/load-dsn.ts'
import type { Db } from '../db/client.ts'
import { type MigrationStatus, migrateUp } from '../db/migrate.ts'
import type { Cmd } from './command.ts'
import { confirm } from './confirm.ts'
import { databaseOf, statusOnceReachable, withDatabase } from './database.ts'
import { Failure, UsageError } from './errors.ts'
import { type Io, print } from './io.ts'
import { addFormatFlags, type FormatOptions, writeFormatted } from './output.ts'
import { formatTable } from './table.ts'

interface Options extends FormatOptions {
  config?: string[]
  readFromEnv?: boolean
  yes?: boolean
  block?: boolean
  steps?: string
}

const DSN = [
  '[dsn]',
  'address of the database: postgres://USER:PASSWORD@HOST:PORT/DATABASE or pglite://FOLDER',
] as const

export function addMigrate(program: Cmd, io: Io): void {
  const sql = program
    .group('migrate', 'Migrate the database')
    .command('sql')
    .description('Apply pending migrations, or show them')
    .argument(...DSN)
    .option('-e, --read-from-env', 'take the address from the variable DSN or the key dsn of a configuration file')
    .option('-y, --yes', 'do not ask before applying')
    .action((dsn: string | undefined) => {
      print(io.stderr, `"migrate sql" is an older form of "migrate sql up", which does the same.`)
      return up(io, sql, dsn)
    }) as Cmd
  sql.examples(
    'migrate sql up -e --yes',
    'migrate sql up -e -c kratos.yaml',
    'migrate sql status postgres://localhost/lethe',
  )

  const upCommand = sql
    .command('up')
    .description('Apply pending migrations')
    .argument(...DSN) as Cmd
  upCommand.action((dsn?: string) => up(io, upCommand, dsn))

  const statusCommand = sql
    .command('status')
    .description('Show which migrations are applied')
    .argument(...DSN) as Cmd
  statusCommand.option('--block', 'wait until none is pending').action((dsn?: string) => status(io, statusCommand, dsn))
  addFormatFlags(statusCommand)

  const downCommand = sql
    .command('down')
    .description('Refused: migrations go forward only')
    .argument(...DSN) as Cmd
  downCommand.option('--steps <number>', 'accepted for compatibility').action(() => down(downCommand))
}

async function up(io: Io, command: Cmd, dsn: string | undefined): Promise<void> {
  const yes = command.optsWithGlobals<Options>().yes === true
  await withDatabase(io, targetOf(io, command, dsn), async (db) => {
    const plan = checked(await statusOnceReachable(io, db))
    if (plan.pending === 0) return print(io.stdout, 'Migrations already up to date, nothing to apply')
    io.stdout.write(`The migration plan is as follows:\n${formatTable(rowsOf(plan))}\n`)
    if (!yes) await confirm(io, 'Do you wish to execute this migration plan?')
    const onApplied = (migration: { version: number; name: string }) =>
      print(io.stderr, `applied ${versionText(migration.version)} ${migration.name}`)
    const count = await migrateUp(db, { onApplied })
    print(io.stderr, `Successfully applied ${count} migrations.`)
    print(io.stdout, '------------ SUCCESS ------------\nSuccessfully applied migrations!')
  })
}

async function status(io: Io, command: Cmd, dsn: string | undefined): Promise<void> {
  const options = command.optsWithGlobals<Options>()
  await withDatabase(io, targetOf(io, command, dsn), async (db) => {
    const found = checked(options.block ? await untilApplied(io, db) : await statusOnceReachable(io, db))
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

function down(command: Cmd): never {
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

function rowsOf({ entries }: MigrationStatus): string[][] {
  return [['Version', 'Name', 'Status'], ...entries.map((m) => [versionText(m.version), m.name, m.status])]
}

const versionText = (version: number) => String(version).padStart(4, '0')
