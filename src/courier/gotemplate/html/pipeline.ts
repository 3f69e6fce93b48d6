import type { Command, Pipe } from '../parse/nodes.ts'
import { type Context, EscapeError, isComment } from './context.ts'
import type { Escaper } from './escapers.ts'

/** Not an object: `toString` is also the name of a function. */
function mapOf<T = string>(pairs: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(pairs))
}

/** Functions that escape by themselves: then nothing is escaped twice. */
const PREDEFINED = new Set(['html', 'urlquery'])

const EQUIVALENT = mapOf({
  'html:attribute': 'html',
  'html:text': 'html',
  'html:rcdata': 'html',
  'html:url part': 'urlquery',
  'html:url': 'urlquery',
})

/** After the first one, the others change nothing. */
const REDUNDANT = mapOf<readonly string[]>({
  'html:comment': ['html:attribute', 'html:text'],
  'html:css text': ['html:attribute'],
  'html:js regex': ['html:attribute'],
  'html:js text': ['html:attribute'],
  'html:js template': ['html:attribute'],
  'html:url part': ['html:url'],
})

/** Which escapers a value needs where it stands, and the context after it. */
export function escapersFor(before: Context, pipe: Pipe): { context: Context; escapers: Escaper[] } {
  checkPredefined(before, pipe)
  const context: Context =
    before.state === 'tag' || before.state === 'attribute name'
      ? { ...before, state: 'attribute name' }
      : before.state === 'js'
        ? { ...before, slash: 'division' }
        : before
  const escapers = forState(before)
  if (context.delimiter === 'space') escapers.push('html:unquoted')
  else if (context.delimiter !== '') escapers.push('html:attribute')
  return { context, escapers }
}

function forState(context: Context): Escaper[] {
  switch (context.state) {
    case 'url':
    case 'css double quoted':
    case 'css single quoted':
    case 'css double quoted url':
    case 'css single quoted url':
    case 'css url':
      return forUrl(context)
    case 'meta content url':
      return ['html:url filter']
    case 'js':
      return ['html:js value']
    case 'js double quoted':
    case 'js single quoted':
      return ['html:js text']
    case 'js template':
      return ['html:js template']
    case 'js regex':
      return ['html:js regex']
    case 'css':
      return ['html:css value']
    case 'text':
      return ['html:text']
    case 'rcdata':
      return ['html:rcdata']
    case 'tag':
    case 'attribute name':
      return ['html:name']
    case 'srcset':
      return ['html:srcset']
  }
  return isComment(context.state) ? ['html:comment'] : []
}

function forUrl({ state, urlPart }: Context): Escaper[] {
  if (urlPart === 'unknown')
    throw new EscapeError('it is open whether the value belongs to the path or to the query of the URL')
  if (urlPart === 'query') return ['html:url part']
  const inText = state === 'css double quoted' || state === 'css single quoted'
  return [...(urlPart === '' ? (['html:url filter'] as const) : []), inText ? 'html:css text' : 'html:url']
}

function checkPredefined(context: Context, { commands }: Pipe): void {
  for (const [i, command] of commands.entries()) {
    const name = functionOf(command)
    if (name === undefined || !PREDEFINED.has(name)) continue
    const unquoted = context.state === 'attribute' && context.delimiter === 'space' && name === 'html'
    if (i < commands.length - 1 || unquoted) throw new EscapeError(`${name} may only come last`)
  }
}

/** The pipeline with its escapers behind it. */
export function withEscapers(pipe: Pipe, wanted: readonly Escaper[]): Pipe {
  if (wanted.length === 0) return pipe
  const commands = [...pipe.commands]
  let escapers: string[] = [...wanted]
  const last = commands.at(-1)!
  const predefined = functionOf(last)
  if (predefined !== undefined && PREDEFINED.has(predefined)) {
    if (commands.length === 1 && last.args.length > 1) {
      commands.splice(0, 1, {
        ...last,
        args: [{ type: 'function', at: last.at, name: 'html:arguments' }, ...last.args.slice(1)],
      })
      commands.push(call(predefined, pipe))
    }
    const isDouble = escapers.some((name) => EQUIVALENT.get(name) === predefined)
    escapers = escapers.map((name) => (EQUIVALENT.get(name) === predefined ? predefined : name))
    if (isDouble) commands.pop()
  }
  const present = new Set(commands.map((command) => normal(functionOf(command) ?? '')))
  for (const name of escapers) {
    if (present.has(normal(name)) || REDUNDANT.get(functionOf(commands.at(-1)) ?? '')?.includes(name)) continue
    commands.push(call(name, pipe))
  }
  return { ...pipe, commands }
}

function call(name: string, { at }: Pipe): Command {
  return { at, args: [{ type: 'function', at, name }] }
}

function functionOf(command: Command | undefined): string | undefined {
  const first = command?.args[0]
  return first?.type === 'function' ? first.name : undefined
}

function normal(name: string): string {
  return EQUIVALENT.get(name) ?? name
}
