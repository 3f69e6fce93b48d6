import { createInterface } from 'node:readline'
import { Failure } from './errors.ts'
import { type Io, print } from './io.ts'

/** Asks until the answer is yes or no. @throws Failure when it is no, or stdin is closed */
export async function confirm(io: Io, question: string): Promise<void> {
  print(io.stderr, 'To skip the next question use flag --yes (at your own risk).')
  const lines = createInterface({ input: io.stdin })
  try {
    io.stderr.write(`${question} [y/n]: `)
    for await (const line of lines) {
      if (/^\s*y(es)?\s*$/i.test(line)) return
      if (/^\s*no?\s*$/i.test(line)) throw new Failure('Nothing was changed.')
      io.stderr.write(`${question} [y/n]: `)
    }
  } finally {
    lines.close()
  }
  throw new Failure('\nUnable to confirm: unable to read from stdin: EOF')
}
