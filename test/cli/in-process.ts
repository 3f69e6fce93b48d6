import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { Readable, Writable } from 'node:stream'
import { main } from '../../src/commands/main.ts'
import { systemClock } from '../../src/kernel/base/clock.ts'

export interface RunHereOptions {
  env?: Record<string, string>
  input?: string
  /** how much of each pause is waited for: where the command waits for something that others do @default 0 */
  longestPauseMs?: number
}

/** One command line in this process, for what would take too long in another: pauses are noted, and cut short. */
export async function runHere(args: string[], options: RunHereOptions = {}) {
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
    async sleep(ms) {
      pauses.push(ms)
      const { longestPauseMs = 0 } = options
      if (longestPauseMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(ms, longestPauseMs)))
    },
    stopRequested: () => new Promise(() => {}),
    cluster: async () => cluster,
  })
  return { code, pauses, ...texts }
}
