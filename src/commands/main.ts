import { CommanderError, type Help } from 'commander'
import { parseCsv } from '../config/sources/csv.ts'
import { addAdopt } from './adopt/adopt.ts'
import { addCleanup } from './cleanup/cleanup.ts'
import { addCompletion } from './completion.ts'
import { addConfig } from './config/config.ts'
import { addCourier } from './courier.ts'
import { addEvents } from './events/events.ts'
import { addHashers } from './hashers/hashers.ts'
import { addIdentities } from './identities/identities.ts'
import { addImport } from './identities/import.ts'
import { normalise } from './kit/arguments.ts'
import { Cmd } from './kit/command.ts'
import { report } from './kit/errors.ts'
import type { Io } from './kit/io.ts'
import { addRemote } from './kit/remote.ts'
import { addMigrate } from './migrate/migrate.ts'
import { addServe } from './serve/serve.ts'
import { addTokens } from './tokens/tokens.ts'
import { addVersion } from './version.ts'

const COMMANDS = [
  addServe,
  addMigrate,
  addAdopt,
  addCleanup,
  addConfig,
  addIdentities,
  addImport,
  addRemote,
  addHashers,
  addTokens,
  addCourier,
  addEvents,
  addVersion,
  addCompletion,
]

/**
 * Runs one command line, without the name of the program.
 * @returns the exit code: 0 when it did what was asked, else 1
 */
export async function main(argv: readonly string[], io: Io): Promise<0 | 1> {
  const program = createProgram(io)
  try {
    await program.parseAsync(normalise(argv, program), { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError && error.code.startsWith('commander.help')) return 0
    // loaded late: a command that logs nothing should not wait for the logger
    const { redact } = await import('../kernel/base/log.ts')
    report(io, error, redact)
    return 1
  }
}

/** Every command, in the order of the help. */
export function createProgram(io: Io): Cmd {
  const program = new Cmd(io.name)
  program
    .description('Identity server for sessions and how they end. Speaks the contract of Ory Kratos.')
    .option(
      '-c, --config <files>',
      'configuration file; repeatable, or a comma-separated list; later ones win',
      collect,
    )
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr: (text) => void io.stderr.write(text) })
    .configureHelp({ showGlobalOptions: true } satisfies Partial<Help>)
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .argument('[command]')
    .usage('[command]')
    .action((word: string | undefined) => {
      if (word !== undefined) program.error(`error: unknown command '${word}'`, { code: 'commander.unknownCommand' })
      program.outputHelp()
    })
  for (const add of COMMANDS) add(program, io)
  return program
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, ...parseCsv(value).filter((file) => file !== '')]
}
