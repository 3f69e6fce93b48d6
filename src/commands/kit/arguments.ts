import type { Command } from 'commander'

const TRUE = ['true', 't', '1']
const FALSE = ['false', 'f', '0']

/** `-c=FILE` and `--dev=true` as Go's flags allow them; the parser takes neither. */
export function normalise(argv: readonly string[], program: Command): string[] {
  const switches = new Set(switchesOf(program))
  const end = argv.indexOf('--')
  const given = end === -1 ? argv : argv.slice(0, end)
  const rest = end === -1 ? [] : argv.slice(end)
  return [...given.flatMap((arg) => normaliseOne(arg, switches)), ...rest]
}

function normaliseOne(arg: string, switches: ReadonlySet<string>): string[] {
  const [, flag = '', value = ''] = /^(--[\w.-]+|-\w)=(.*)$/s.exec(arg) ?? []
  if (flag === '') return [arg]
  if (switches.has(flag) && TRUE.includes(value.toLowerCase())) return [flag]
  if (switches.has(flag) && FALSE.includes(value.toLowerCase()))
    return switches.has(negated(flag)) ? [negated(flag)] : []
  return flag.startsWith('--') ? [arg] : [flag, value]
}

const negated = (flag: string) => `--no-${flag.replace(/^-+/, '')}`

function switchesOf(command: Command): string[] {
  const own = command.options.filter((option) => option.isBoolean() || option.negate)
  return [...own.flatMap(({ short, long }) => [short ?? '', long ?? '']), ...command.commands.flatMap(switchesOf)]
}
