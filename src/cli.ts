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
let stop: (why: string) => void = () => {}

/** Signals are caught from the first call on, so that Ctrl-C ends every other command at once. */
function stopRequested(): Promise<string> {
  stopping ??= new Promise((resolve) => {
    // SIGHUP: the terminal was closed. Files of the configuration are watched, so that no signal asks to read them.
    const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
    stop = (why) => {
      // a second signal is not caught: it ends the process without waiting
      for (const each of signals) process.removeListener(each, stop)
      resolve(why)
    }
    for (const signal of signals) process.on(signal, stop)
  })
  return stopping
}

/** stdout is the log of a server, which neither a full disk nor a reader that is gone may cut off in the middle of its work */
let serving = false
let logLost: string | undefined

process.stdout.on('error', ({ code = 'unknown error' }: NodeJS.ErrnoException) => {
  // A reader that closes the pipe early (`| head`) is no error.
  if (!serving && code === 'EPIPE') process.exit(0)
  if (!serving)
    return void process.stderr.write(`Error: the output could not be written (${code})\n`, () => process.exit(1))
  if (logLost === code) return
  logLost = code
  const then = code === 'EPIPE' ? 'its reader is gone; the server stops' : 'lines are lost until that is mended'
  process.stderr.write(`Error: the log could not be written (${code}): ${then}\n`)
  // Its supervisor starts it again, with a reader.
  if (code === 'EPIPE') stop(code)
})
process.stderr.on('error', () => {
  if (!serving) process.exit(1)
})

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
  logsToStdout: () => {
    serving = true
  },
  cluster: async () => (await import('node:cluster')).default,
})
// Not left to the event loop: a leaked connection must not keep a finished job running. A failed write is told a turn later.
process.stdout.write('', () => setImmediate(() => process.exit(logLost === 'EPIPE' ? 1 : code)))
