import { JsonnetError, type Source } from '../errors.ts'
import { readQuoted, readTextBlock, readVerbatim } from './strings.ts'
import { KEYWORDS, type Token, type TokenKind } from './tokens.ts'

const SYMBOLS = '!$:~+-&|^=<>*/%'
const BRACKETS = '{}[],.();'
// each matches at one place only (sticky) and without a choice to take back
const SPACE = /[ \t\r\n]+/y
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y

/** @throws JsonnetError (static) at what is no token */
export function lex(source: Source): Token[] {
  const { text } = source
  const tokens: Token[] = []
  let at = skipSpace(source, 0)
  while (at < text.length) {
    const token = next(source, at)
    tokens.push(token)
    at = skipSpace(source, token.end)
  }
  tokens.push({ kind: 'end', text: '', at: text.length, end: text.length })
  return tokens
}

function next(source: Source, at: number): Token {
  const { text } = source
  const char = text[at]!
  if (BRACKETS.includes(char)) return token('operator', char, at)
  if (char === '"' || char === "'") return readQuoted(source, at)
  if (char === '@') return readVerbatim(source, at)
  if (text.startsWith('|||', at)) return readTextBlock(source, at)
  if (char >= '0' && char <= '9') return readNumber(source, at)
  const word = match(IDENTIFIER, text, at)
  if (word) return token(KEYWORDS.has(word) ? 'keyword' : 'identifier', word, at)
  if (SYMBOLS.includes(char)) return readOperator(text, at)
  const shown = JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))
  throw new JsonnetError('static', `Could not lex the character ${shown}`, { source, at })
}

const token = (kind: TokenKind, text: string, at: number): Token => ({ kind, text, at, end: at + text.length })

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function readNumber(source: Source, at: number): Token {
  const digits = match(NUMBER, source.text, at)!
  const end = at + digits.length
  const after = source.text[end]
  if ((after === '.' && !digits.includes('.')) || ((after === 'e' || after === 'E') && !/[eE]/.test(digits)))
    throw new JsonnetError('static', `Couldn't lex number, junk after ${after === '.' ? 'decimal point' : "'E'"}`, {
      source,
      at: end + 1,
    })
  return token('number', digits, at)
}

/** No operator is longer. Without an end, each `-` of a long row of them would look at all the others. */
const LONGEST_OPERATOR = 8

/** A run of symbols, but `a+-b` is two operators: only the first symbol may be one of `+ - ~ ! $` at the end. */
function readOperator(text: string, at: number): Token {
  let end = at + 1
  while (end < at + LONGEST_OPERATOR && end < text.length && SYMBOLS.includes(text[end]!)) {
    if (text.startsWith('//', end) || text.startsWith('/*', end) || text.startsWith('|||', end)) break
    end += 1
  }
  while (end > at + 1 && '+-~!$'.includes(text[end - 1]!)) end -= 1
  return token('operator', text.slice(at, end), at)
}

function skipSpace(source: Source, from: number): number {
  const { text } = source
  let at = from
  for (;;) {
    at += match(SPACE, text, at)?.length ?? 0
    if (text[at] === '#' || text.startsWith('//', at)) {
      const end = text.indexOf('\n', at)
      at = end === -1 ? text.length : end
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2)
      if (end === -1) throw new JsonnetError('static', 'Multi-line comment has no terminating */', { source, at })
      at = end + 2
    } else return at
  }
}
