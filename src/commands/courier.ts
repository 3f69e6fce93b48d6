import type { Cmd } from './kit/command.ts'
import { type Io, print } from './kit/io.ts'

/** As long as a timer may be, some 24 days; it only keeps the process alive. */
const IDLE_MS = 2 ** 31 - 1

export function addCourier(program: Cmd, io: Io): void {
  program
    .group('courier', 'Send messages')
    .command('watch')
    .description('Accepted for compatibility: no message is ever queued, so it waits until it is stopped')
    .option('--expose-metrics-port <number>', 'accepted for compatibility: there are no metrics of it')
    .option('--latency <duration>', 'accepted for compatibility')
    .action(async () => {
      const stopped = io.stopRequested()
      print(io.stdout, 'No message is to be sent. This job may be removed; until then it waits for SIGTERM.')
      const idle = setInterval(() => {}, IDLE_MS)
      await stopped
      clearInterval(idle)
    })
}
