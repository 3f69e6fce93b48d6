import type { Io } from './io.ts'
import { print } from './io.ts'

/** The command line itself is wrong: shown together with the usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly usage: string
  constructor(message: string, usage: string) {
    super(message)
    this.usage = usage
  }
}

/** The command was understood and failed. Only the message is shown; it is empty when everything was said before. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

/** Errors of ordinary operation, whose message is for operators; their stack would not help. */
const EXPECTED = new Set([
  'ConfigError',
  'DsnError',
  'StoreUnavailable',
  'StoreError',
  'MigrationError',
  'DataDirInUse',
  'DataDirOpen',
  'DataDirUnusable',
  'WrongSecrets',
])

/** What the operating system refuses, as a file that cannot be opened: the message says which. */
const isOfSystem = (error: unknown) => error instanceof Error && 'syscall' in error

/** Shows what went wrong on stderr. */
export function report(io: Io, error: unknown, redact: (text: string) => string): void {
  if (error instanceof UsageError) {
    print(io.stderr, `Error: ${error.message}\n${error.usage}\n${error.message}`)
    return
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  if (name === 'ConfigError') {
    print(io.stderr, redact(`${message}\n\nError: the configuration is not valid, see above`))
    return
  }
  if (error instanceof Failure || EXPECTED.has(name) || isOfSystem(error)) {
    if (message !== '') print(io.stderr, redact(error instanceof Failure ? message : `Error: ${message}`))
    return
  }
  print(io.stderr, redact(`Error: ${stack ?? message}`))
}
