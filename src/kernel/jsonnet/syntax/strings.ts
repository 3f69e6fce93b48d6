import { JsonnetError, type Source } from '../errors.ts'
import type { Token } from './tokens.ts'

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** `"…"` or `'…'`, with escapes. */
export function readQuoted(source: Source, at: number): Token {
  const { text } = source
  const quote = text[at]!
  let value = ''
  let from = at + 1
  for (let index = from; index < text.length; index += 1) {
    if (text[index] === quote) {
      value += text.slice(from, index)
      return { kind: 'string', text: value, at, end: index + 1 }
    }
    if (text[index] !== '\\') continue
    value += text.slice(from, index)
    const unescaped = readEscape(source, index)
    value += unescaped.value
    from = unescaped.end
    index = from - 1
  }
  throw new JsonnetError('static', 'Unterminated String', { source, at })
}

function readEscape(source: Source, at: number): { value: string; end: number } {
  const char = source.text[at + 1]
  if (char === undefined) throw new JsonnetError('static', 'Unterminated String', { source, at })
  if (char !== 'u') {
    if (!Object.hasOwn(ESCAPES, char))
      throw new JsonnetError('static', `Unknown escape sequence in string literal: \\${char}`, { source, at })
    return { value: ESCAPES[char]!, end: at + 2 }
  }
  const first = hex(source, at + 2)
  if (first < 0xd800 || first > 0xdfff) return { value: String.fromCharCode(first), end: at + 6 }
  if (!source.text.startsWith('\\u', at + 6))
    throw new JsonnetError(
      'static',
      'Unicode surrogate pair escape sequence missing low surrogate in string literal.',
      {
        source,
        at,
      },
    )
  const pair = String.fromCharCode(first, hex(source, at + 8))
  // halves that make no pair are one replacement character
  return { value: pair.isWellFormed() ? pair : '\ufffd', end: at + 12 }
}

function hex(source: Source, at: number): number {
  const digits = source.text.slice(at, at + 4)
  if (!/^[0-9a-fA-F]{4}$/.test(digits))
    throw new JsonnetError('static', `Unicode escape sequence was malformed: ${digits}`, { source, at })
  return Number.parseInt(digits, 16)
}

/** `@"…"` or `@'…'`: nothing is an escape, a doubled quote is one. */
export function readVerbatim(source: Source, at: number): Token {
  const { text } = source
  const quote = text[at + 1]
  if (quote !== '"' && quote !== "'")
    throw new JsonnetError('static', "Couldn't lex verbatim string, junk after '@'", { source, at })
  let value = ''
  for (let from = at + 2; ; ) {
    const end = text.indexOf(quote, from)
    if (end === -1) throw new JsonnetError('static', 'Unterminated String', { source, at })
    value += text.slice(from, end)
    if (text[end + 1] !== quote) return { kind: 'string', text: value, at, end: end + 1 }
    value += quote
    from = end + 2
  }
}

/** `|||` … `|||`: lines less the indent of the first; `|||-` drops the last line break. */
export function readTextBlock(source: Source, at: number): Token {
  const { text } = source
  const fail = (reason: string) => new JsonnetError('static', reason, { source, at })
  const chomp = text[at + 3] === '-'
  let index = at + (chomp ? 4 : 3)
  while (text[index] === ' ' || text[index] === '\t' || text[index] === '\r') index += 1
  if (text[index] !== '\n') throw fail('Text block requires new line after |||.')
  index += 1
  let value = ''
  while (text[index] === '\n') {
    value += '\n'
    index += 1
  }
  const indent = spacesAt(text, index)
  if (indent === '') throw fail("Text block's first line must start with whitespace")
  while (text.startsWith(indent, index)) {
    const end = text.indexOf('\n', index)
    if (end === -1) throw fail('Unexpected EOF')
    value += text.slice(index + indent.length, end + 1)
    index = end + 1
    while (text[index] === '\n') {
      value += '\n'
      index += 1
    }
  }
  index += spacesAt(text, index).length
  if (!text.startsWith('|||', index)) throw fail('Text block not terminated with |||')
  return { kind: 'string', text: chomp ? value.slice(0, -1) : value, at, end: index + 3, block: true }
}

function spacesAt(text: string, at: number): string {
  let end = at
  while (text[end] === ' ' || text[end] === '\t') end += 1
  return text.slice(at, end)
}
