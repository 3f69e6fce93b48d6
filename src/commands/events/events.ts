import type { Cmd } from '../kit/command.ts'
import type { Io } from '../kit/io.ts'
import { addClientFlags } from '../kit/remote.ts'

/** `events tail`, `events status`: the log of events over the admin port. */
export function addEvents(program: Cmd, io: Io): void {
  const events = program.group('events', 'Follow what happens to sessions')
  addClientFlags(events)
  const tail = events
    .command('tail')
    .description('Show the last events, and with --follow those that come')
    .option('-f, --follow', 'go on until it is stopped; what was missed while the server was away is shown too')
    .option('-n, --lines <count>', 'how many of the last ones to show', '10')
    .option('--type <types>', 'only these, as in session.ended,session.created')
    .option('--cause <causes>', 'only ends with these causes, as in logout,expired')
    .option('--session <id>', 'only those of a session')
    .option('--identity <id>', 'only those of an identity') as Cmd
  tail.examples('events tail --follow --type session.ended', 'events tail -n 100 --format json')
  tail.action(async () => {
    const { tailEvents } = await import('./tail.ts')
    await tailEvents(io, tail.optsWithGlobals())
  })
  const status = events
    .command('status')
    .description(
      'Show how far the log and each receiver are behind, and which open transaction holds the log back',
    ) as Cmd
  status.examples('events status', 'events status --format json')
  status.action(async () => {
    const { showEventStatus } = await import('./status.ts')
    await showEventStatus(io, status.optsWithGlobals())
  })
}
