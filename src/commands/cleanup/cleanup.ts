import type { Cmd } from '../kit/command.ts'
import type { Io } from '../kit/io.ts'

export function addCleanup(program: Cmd, io: Io): void {
  const command = program
    .group('cleanup', 'Delete what has expired')
    .command('sql')
    .description('Delete expired sessions, flows and what belongs to them, in small batches; to be run by a timer')
    .argument('[dsn]', 'address of the database; else the variable DSN or the key dsn of a configuration file')
    .option('-e, --read-from-env', 'accepted for compatibility: it is what happens without an argument')
    .option('-b, --database.cleanup.batch_size <rows>', 'rows that one statement deletes (default: 100)')
    .option('--database.cleanup.sleep.tables <duration>', 'pause between two tables (default: 1m0s)')
    .option('--keep-last <duration>', 'keep what expired within this time (default: 0s)') as Cmd
  command
    .examples('cleanup sql -c kratos.yaml --keep-last 6h', 'cleanup sql --database.cleanup.sleep.tables 0s')
    .action(async (dsn?: string) => {
      const { cleanup } = await import('./run.ts')
      await cleanup(io, command, dsn)
    })
}
