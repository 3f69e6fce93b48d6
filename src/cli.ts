#!/usr/bin/env node
import { randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { main } from './commands/main.ts'
import { systemClock } from './kernel/base/clock.ts'

// Files that this process or its workers write (data, lock, sockets until they get their mode, crash reports) are
// readable by its own user only.
process.umask(0o077)

let stopping: Promise<string> | undefined

/** Signals are caught from the first call on, so that Ctrl-C ends every other command at once. */
function stopRequested(): Promise<string> {
  stopping ??= new Promise((resolve) => {
    const signals = ['SIGTERM', 'SIGINT'] as const
    const stop = (signal: string) => {
      // a second signal is not caught: it ends the process without waiting
      for (const each of signals) process.removeListener(each, stop)
      resolve(signal)
    }
    for (const signal of signals) process.on(signal, stop)
  })
  return stopping
}

// A reader that closes the pipe early (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
process.stderr.on('error', () => process.exit(1))

const code = await main(process.argv.slice(2), {
  name: basename(process.argv[1] ?? '') === 'kratos' ? 'kratos' : 'lethe',
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock(),
  random: randomBytes,
  fetch,
  sleep: (ms) => sleep(ms),
  stopRequested,
  cluster: async () => (await import('node:cluster')).default,
})
// Not left to the event loop: a leaked connection must not keep a finished job running.
process.stdout.write('', () => process.exit(code))
