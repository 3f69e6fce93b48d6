import type { Cluster } from 'node:cluster'
import type { Readable, Writable } from 'node:stream'
import type { Clock } from '../../kernel/base/clock.ts'

/** Everything that a command takes from the process around it. */
export interface Io {
  /** the name that the program was started by */
  name: 'lethe' | 'kratos'
  env: Record<string, string | undefined>
  stdin: Readable & { isTTY?: boolean }
  /** results */
  stdout: Writable & { isTTY?: boolean }
  /** questions, progress, errors */
  stderr: Writable & { isTTY?: boolean }
  clock: Clock
  random: (bytes: number) => Buffer
  fetch: typeof fetch
  sleep(ms: number): Promise<unknown>
  /** resolves with the name of the signal; from the first call on, signals do not end the process by themselves */
  stopRequested(): Promise<string>
  /** from now on stdout is the log of a server: one that cannot be written does not end the process at once */
  logsToStdout(): void
  /** several processes behind the same ports; loaded only for them */
  cluster(): Promise<Cluster>
}

export function print(stream: Writable, text: string): void {
  stream.write(`${text}\n`)
}
