import { type Context, EscapeError } from './context.ts'
import type { Step } from './tags.ts'

/** Templates in templates of a script. Each one is carried along, so their number counts twice. */
const MAX_NESTED = 50

/** After them a `/` begins a regular expression. */
const BEFORE_REGEX = new Set(
  'break case continue delete do else finally in instanceof return throw try typeof void'.split(' '),
)
const TRAILING_SPACE = /[\f\n\r\t\v \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]/
const LINE_END = /[\n\r\u2028\u2029]/

export function afterScript(context: Context, text: string): Step {
  const at = text.search(/["`'/{}<\-#]/)
  if (at < 0) return [{ ...context, slash: slashAfter(text, context.slash) }, text.length]
  const slash = slashAfter(text.slice(0, at), context.slash)
  const next = (change: Partial<Context>, length = 1): Step => [{ ...context, slash, ...change }, at + length]
  switch (text[at]) {
    case '"':
      return next({ state: 'js double quoted', slash: 'regex' })
    case "'":
      return next({ state: 'js single quoted', slash: 'regex' })
    case '`':
      return next({ state: 'js template', slash: 'regex' })
    case '/':
      if (text[at + 1] === '/') return next({ state: 'js line comment' }, 2)
      if (text[at + 1] === '*') return next({ state: 'js block comment' }, 2)
      if (slash === 'regex') return next({ state: 'js regex' })
      if (slash === 'division') return next({ slash: 'regex' })
      throw new EscapeError('"/" could begin a division or a regular expression')
    case '<':
      return text.startsWith('<!--', at) ? next({ state: 'js comment <!--' }, 4) : next({})
    case '-':
      return text.startsWith('-->', at) ? next({ state: 'js comment -->' }, 3) : next({})
    case '#':
      return text[at + 1] === '!' ? next({ state: 'js line comment' }, 2) : next({})
    case '{':
      return next({ slash: 'regex', braces: counted(context.braces, 1) })
  }
  if (context.braces.at(-1) === 0) return next({ state: 'js template', braces: context.braces.slice(0, -1) })
  return next({ slash: 'regex', braces: counted(context.braces, -1) })
}

function counted(braces: readonly number[], by: number): readonly number[] {
  return braces.length === 0 ? braces : [...braces.slice(0, -1), braces.at(-1)! + by]
}

/** What a `/` begins after some code. */
function slashAfter(code: string, before: Context['slash']): Context['slash'] {
  let end = code.length
  while (end > 0 && TRAILING_SPACE.test(code[end - 1]!)) end--
  if (end === 0) return before
  const last = code[end - 1]!
  if (last === '+' || last === '-') {
    let start = end - 1
    while (start > 0 && code[start - 1] === last) start--
    return (end - start) % 2 === 1 ? 'regex' : 'division'
  }
  if (last === '.') return /[0-9]/.test(code[end - 2] ?? '') ? 'division' : 'regex'
  if (',<>=*%&|^?!~([:;{}'.includes(last)) return 'regex'
  let start = end
  while (start > 0 && /[$0-9A-Z_a-z]/.test(code[start - 1]!)) start--
  return BEFORE_REGEX.has(code.slice(start, end)) ? 'regex' : 'division'
}

/** Inside `…` of a script, up to its end or to `${`. */
export function afterScriptTemplate(context: Context, text: string): Step {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at = escaped(text, at)
    else if (text[at] === '`') return [{ ...context, state: 'js' }, at + 1]
    else if (text.startsWith('${', at)) return [{ ...context, state: 'js', braces: deeper(context.braces) }, at + 2]
  }
  return [context, text.length]
}

function deeper(braces: readonly number[]): readonly number[] {
  if (braces.length >= MAX_NESTED) throw new EscapeError(`templates of a script are nested deeper than ${MAX_NESTED}`)
  return [...braces, 0]
}

/** Inside quotes or a regular expression. */
export function afterScriptLiteral(context: Context, text: string): Step {
  const isRegex = context.state === 'js regex'
  const end = isRegex ? '/' : context.state === 'js single quoted' ? "'" : '"'
  let inClass = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '\\') at = escaped(text, at)
    else if (isRegex && (char === '[' || char === ']')) inClass = char === '['
    else if (char !== end) continue
    else if (isRegex && at > 0 && text.slice(at - 1, at + 7).toLowerCase() === '</script') at++
    else if (!inClass) return [{ ...context, state: 'js', slash: 'division' }, at + 1]
  }
  if (inClass) throw new EscapeError('a class of characters of a regular expression is not closed')
  return [context, text.length]
}

function escaped(text: string, at: number): number {
  if (at + 1 === text.length) throw new EscapeError('a text in a script ends in the middle of an escape')
  return at + 1
}

export function afterBlockComment(context: Context, text: string): Step {
  const end = text.indexOf('*/')
  if (end < 0) return [context, text.length]
  return [{ ...context, state: context.state === 'css block comment' ? 'css' : 'js' }, end + 2]
}

/** The end of the line belongs to what follows. */
export function afterLineComment(context: Context, text: string): Step {
  const isCss = context.state === 'css line comment'
  const end = text.search(isCss ? /[\n\f\r]/ : LINE_END)
  return end < 0 ? [context, text.length] : [{ ...context, state: isCss ? 'css' : 'js' }, end]
}
