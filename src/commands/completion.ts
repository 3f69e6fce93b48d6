import type { Cmd } from './kit/command.ts'
import { type Io, print } from './kit/io.ts'

/** Path of a command (`migrate sql`) → the words that may follow it. */
type Words = [path: string, words: string[]][]

const SHELLS: Record<string, (name: string, words: Words) => string> = { bash, zsh, fish, powershell }

export function addCompletion(program: Cmd, io: Io): void {
  const completion = program
    .command('completion')
    .description('Print a script that completes commands in a shell') as Cmd
  completion
    .argument('[shell]', Object.keys(SHELLS).join(', '))
    .examples('completion bash > /etc/bash_completion.d/lethe', 'completion fish | source')
    .action((shell = '') => {
      if (!Object.hasOwn(SHELLS, shell)) return completion.outputHelp()
      print(io.stdout, SHELLS[shell]!(program.name(), wordsOf(program, [], [])))
    })
}

function wordsOf(command: Cmd, path: string[], inherited: string[]): Words {
  const flags = [...inherited, ...command.options.map(({ long, short }) => long ?? short ?? '')]
  const children = command.commands as Cmd[]
  const own: Words[number] = [path.join(' '), [...children.map((child) => child.name()), ...flags, '--help']]
  return [own, ...children.flatMap((child) => wordsOf(child, [...path, child.name()], flags))]
}

function bash(name: string, words: Words): string {
  const cases = words.map(([path, list]) => `    "${path}") words="${list.join(' ')}" ;;`).join('\n')
  return `_${name}_words() {
  case "$1" in
${cases}
    *) return 1 ;;
  esac
}
_${name}() {
  local words path="" word current="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    _${name}_words "\${path:+$path }$word" && path="\${path:+$path }$word"
  done
  _${name}_words "$path"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${name} ${name}`
}

function zsh(name: string, words: Words): string {
  return `autoload -Uz bashcompinit && bashcompinit\n${bash(name, words)}`
}

function fish(name: string, words: Words): string {
  const cases = words.map(([path, list]) => `    case '${path}'\n      printf '%s\\n' ${list.join(' ')}`).join('\n')
  return `function __${name}_words
  switch "$argv"
${cases}
    case '*'
      return 1
  end
end
function __${name}_complete
  set -l path
  for word in (commandline -opc)[2..]
    __${name}_words $path $word >/dev/null; and set path $path $word
  end
  __${name}_words $path
end
complete -c ${name} -a '(__${name}_complete)'`
}

function powershell(name: string, words: Words): string {
  const table = words
    .map(([path, list]) => `    '${path}' = @(${list.map((word) => `'${word}'`).join(', ')})`)
    .join('\n')
  return `Register-ArgumentCompleter -Native -CommandName ${name} -ScriptBlock {
  param($current, $ast, $position)
  $words = @{
${table}
  }
  $path = ''
  foreach ($element in $ast.CommandElements | Select-Object -Skip 1) {
    $longer = ("$path $element").Trim()
    if ($words.ContainsKey($longer)) { $path = $longer }
  }
  $words[$path] | Where-Object { $_ -like "$current*" }
}`
}
