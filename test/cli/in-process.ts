import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { Readable, Writable } from 'node:stream'
import { main } from '../../src/commands/main.ts'
import { systemClock } from '../../src/kernel/base/clock.ts'

/** One command line in this process, for what would take too long in another: pauses are noted and not waited for. */
export async function runHere(args: string[], options: { env?: Record<string, string>; input?: string } = {}) {
  const texts = { stdout: '', stderr: '' }
  const pauses: number[] = []
  const into = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk, _encoding, done) {
        texts[name] += chunk
        done()
      },
    })
  const code = await main(args, {
    name: 'kratos',
    env: options.env ?? {},
    stdin: Readable.from([options.input ?? '']),
    stdout: into('stdout'),
    stderr: into('stderr'),
    clock: systemClock(),
    random: randomBytes,
    fetch,
    sleep: async (ms) => pauses.push(ms),
    stopRequested: () => new Promise(() => {}),
    logsToStdout: () => {},
    cluster: async () => cluster,
  })
  return { code, pauses, ...texts }
}
