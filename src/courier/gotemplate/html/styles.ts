import { type Context, EscapeError } from './context.ts'
import { afterUrl, type Step } from './tags.ts'

export function afterStyle(context: Context, text: string): Step {
  for (let at = 0; ; at++) {
    const found = text.slice(at).search(/[("'/]/)
    if (found < 0) return [context, text.length]
    at += found
    const next = (state: Context['state'], length: number): Step => [{ ...context, state }, length]
    if (text[at] === '"') return next('css double quoted', at + 1)
    if (text[at] === "'") return next('css single quoted', at + 1)
    if (text[at] === '/' && text[at + 1] === '/') return next('css line comment', at + 2)
    if (text[at] === '/' && text[at + 1] === '*') return next('css block comment', at + 2)
    if (text[at] !== '(' || !endsInUrl(text, at)) continue
    let start = at + 1
    while (isSpace(text[start])) start++
    if (text[start] === '"') return next('css double quoted url', start + 1)
    if (text[start] === "'") return next('css single quoted url', start + 1)
    return next('css url', start)
  }
}

function endsInUrl(text: string, at: number): boolean {
  let end = at
  while (end > 0 && isSpace(text[end - 1])) end--
  const before = text[end - 4]
  return (
    text.slice(Math.max(end - 3, 0), end).toLowerCase() === 'url' &&
    !(before !== undefined && /[-\w\u0080-\uffff]/.test(before))
  )
}

/** Inside quotes or `url(…)`. */
export function afterStyleText(context: Context, text: string): Step {
  const ends = {
    'css double quoted': '"',
    'css double quoted url': '"',
    'css single quoted': "'",
    'css single quoted url': "'",
  } as const
  const end: string = ends[context.state as keyof typeof ends] ?? '\t\n\f\r )'
  let known = context
  let read = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') {
      if (at + 1 === text.length) throw new EscapeError('a text in a style ends in the middle of an escape')
      known = afterUrl(known, decodeStyle(text.slice(read, at)))[0]
      read = at
      at++
    } else if (end.includes(text[at]!)) return [{ ...known, state: 'css' }, at + 1]
  }
  return [afterUrl(known, decodeStyle(text.slice(read)))[0], text.length]
}

/** Text of a style without its escapes. */
export function decodeStyle(text: string): string {
  return text.replace(/\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\n\f\r])?|(.))|\\$/gsu, (_, code?: string, char?: string) => {
    if (code === undefined) return char ?? ''
    const point = Number.parseInt(code, 16)
    return point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? '\ufffd' : String.fromCodePoint(point)
  })
}

function isSpace(char: string | undefined): boolean {
  return char !== undefined && '\t\n\f\r '.includes(char)
}
