import type { Cmd } from '../kit/command.ts'
import type { Io } from '../kit/io.ts'
import { addFormatFlags } from '../kit/output.ts'

const DSN = [
  '[dsn]',
  'address of the database: postgres://USER:PASSWORD@HOST:PORT/DATABASE or pglite://FOLDER',
] as const

/** Loaded when needed: it takes several times as long as anything else here. */
const load = () => import('./run.ts')

export function addMigrate(program: Cmd, io: Io): void {
  const sql = program
    .group('migrate', 'Migrate the database')
    .command('sql')
    .description('Apply pending migrations, or show them')
    .argument(...DSN)
    .option('-e, --read-from-env', 'take the address from the variable DSN or the key dsn of a configuration file')
    .option('-y, --yes', 'do not ask before applying')
    .action(async (dsn?: string) => {
      io.stderr.write('"migrate sql" is an older form of "migrate sql up", which does the same.\n')
      await (await load()).up(io, sql, dsn)
    }) as Cmd
  sql.examples(
    'migrate sql up -e --yes',
    'migrate sql up -e -c kratos.yaml',
    'migrate sql status postgres://localhost/lethe',
  )

  const upCommand = sql
    .command('up')
    .description('Apply pending migrations')
    .argument(...DSN)
    .option(
      '--newer-kratos',
      'share tables that a Kratos later than v26.2.0 migrated, up to the version found now',
    ) as Cmd
  upCommand.action(async (dsn?: string) => (await load()).up(io, upCommand, dsn))

  const statusCommand = sql
    .command('status')
    .description('Show which migrations are applied')
    .argument(...DSN) as Cmd
  statusCommand
    .option('--block', 'wait until none is pending')
    .action(async (dsn?: string) => (await load()).status(io, statusCommand, dsn))
  addFormatFlags(statusCommand)

  const downCommand = sql
    .command('down')
    .description('Refused: migrations go forward only')
    .argument(...DSN) as Cmd
  downCommand
    .option('--steps <number>', 'accepted for compatibility')
    .action(async () => (await load()).down(downCommand))
}
