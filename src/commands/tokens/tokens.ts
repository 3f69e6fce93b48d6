import type { Cmd } from '../kit/command.ts'
import type { Io } from '../kit/io.ts'

export function addTokens(program: Cmd, io: Io): void {
  const harden = program
    .group('tokens', 'How session tokens rest in the database')
    .command('harden')
    .description('Once Kratos is gone for good: hash the session tokens that it shared. Everyone stays signed in')
    .argument('[dsn]', 'address of the database; else the variable DSN or the key dsn of a configuration file')
    .option('-e, --read-from-env', 'accepted for compatibility: it is what happens without an argument')
    .option('-y, --yes', 'do not ask before beginning')
    .option('--idle <duration>', 'refuse if Kratos wrote anything within this time (default: 15m)')
    .option('--force', 'begin although Kratos wrote: everybody whom it serves is signed out there')
    .option('--batch <rows>', 'rows of one statement (default: 500)')
    .option('--pause <duration>', 'pause between two statements (default: 20ms)') as Cmd
  harden.examples('tokens harden -e', 'tokens harden -e --yes --idle 1h').action(async (dsn?: string) => {
    const { hardenTokens } = await import('./harden.ts')
    await hardenTokens(io, harden, dsn)
  })
}
