import { Command, type ErrorOptions } from 'commander'
import { UsageError } from './errors.ts'

/** A command whose usage errors have the words that scripts around Kratos know, and are thrown instead of ending the process. */
export class Cmd extends Command {
  override createCommand(name?: string): Cmd {
    return new Cmd(name)
  }

  override error(message: string, options?: ErrorOptions): never {
    throw new UsageError(reword(message, options?.code, this), this.helpInformation())
  }

  /** A command that only holds others: alone, or before an unknown word, it shows its help. */
  group(name: string, summary: string): Cmd {
    const group = this.command(name).description(summary).argument('[words...]').usage('[command]') as Cmd
    return group.action(() => group.outputHelp()) as Cmd
  }

  /** Examples below the help, one call a line, without the name of the program. */
  examples(...lines: string[]): this {
    return this.addHelpText(
      'after',
      () => `\nExamples:\n${lines.map((line) => `  ${root(this).name()} ${line}`).join('\n')}`,
    )
  }
}

function root(command: Command): Command {
  return command.parent === null ? command : root(command.parent)
}

function reword(message: string, code: string | undefined, command: Cmd): string {
  const [, quoted = ''] = /'([^'=]*)[^']*'/.exec(message) ?? []
  const [, guess = ''] = /\n(\(Did you mean .*\))/.exec(message) ?? []
  switch (code) {
    case 'commander.unknownOption':
      return lines(
        /^-[^-]/.test(quoted) ? `unknown shorthand flag: '${quoted[1]}' in ${quoted}` : `unknown flag: ${quoted}`,
        guess,
      )
    case 'commander.optionMissingArgument':
      return `flag needs an argument: ${/--[\w.-]+/.exec(quoted)?.[0] ?? quoted}`
    case 'commander.missingArgument':
      return 'requires at least 1 arg(s), only received 0'
    case 'commander.unknownCommand':
      return lines(`unknown command "${quoted}" for "${command.name()}"`, guess)
    default:
      return message.replace(/^error: /, '')
  }
}

const lines = (...texts: string[]) => texts.filter((text) => text !== '').join('\n')
