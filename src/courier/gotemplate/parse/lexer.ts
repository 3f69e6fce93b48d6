import { KEYWORDS, type Token, type TokenType } from './tokens.ts'

const WORD = /[\p{L}\p{Nd}_]*/uy
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)/y
const SPACES = /[ \t\r\n]*/y
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/y
const CHARACTER = /'(?:[^'\\\n]|\\[^\n])*'/y

/** Cuts a template into tokens, one at a time, so that the first fault is the one that is reported. */
export class Lexer {
  private readonly source: string
  private position = 0
  private line = 1
  private counted = 0
  private inside = false
  private parens = 0

  constructor(source: string) {
    this.source = source
  }

  next(): Token {
    return this.inside ? this.insideAction() : this.text()
  }

  private text(): Token {
    for (;;) {
      const start = this.position
      const open = this.source.indexOf('{{', start)
      if (open < 0) {
        this.position = this.source.length
        return start < this.position ? this.token('text', start) : this.token('end of text', start)
      }
      let end = open
      if (this.trimsBefore(open + 2)) while (end > start && isSpace(this.source[end - 1])) end--
      if (end > start) {
        this.position = open
        return this.token('text', start, end)
      }
      this.position = open
      if (!this.atComment(open)) return this.left(open)
      const fault = this.comment(open)
      if (fault) return fault
    }
  }

  private left(open: number): Token {
    this.inside = true
    this.parens = 0
    this.position = open + (this.trimsBefore(open + 2) ? 4 : 2)
    return this.token('left', open, open + 2)
  }

  private atComment(open: number): boolean {
    return this.source.startsWith('/*', open + (this.trimsBefore(open + 2) ? 4 : 2))
  }

  /** Passes over a comment with its braces. */
  private comment(open: number): Token | undefined {
    const end = this.source.indexOf('*/', open + (this.trimsBefore(open + 2) ? 6 : 4))
    if (end < 0) return this.fault(open, 'the comment is not closed')
    const close = this.rightAt(end + 2)
    if (!close) return this.fault(open, 'nothing but "}}" or " -}}" may follow a comment')
    this.position = close.after
    return undefined
  }

  private insideAction(): Token {
    const start = this.position
    const close = this.rightAt(start)
    if (close) {
      if (this.parens > 0) return this.fault(start, 'a parenthesis is not closed')
      this.inside = false
      this.position = close.after
      return this.token('right', start, start + 2)
    }
    const char = this.source[start]
    if (char === undefined) return this.fault(start, 'the action is not closed')
    if (isSpace(char)) return this.space(start)
    switch (char) {
      case '=':
        return this.take('assign', 1)
      case ':':
        return this.source[start + 1] === '=' ? this.take('declare', 2) : this.fault(start, 'expected ":="')
      case '|':
        return this.take('pipe', 1)
      case ',':
        return this.take('comma', 1)
      case '"':
        return this.match('string', STRING, 'the text in quotes is not closed on its line')
      case '`': {
        const end = this.source.indexOf('`', start + 1)
        return end < 0
          ? this.fault(start, 'the text in backquotes is not closed')
          : this.take('string', end + 1 - start)
      }
      case "'":
        return this.match('char', CHARACTER, 'the character is not closed')
      case '(':
        this.parens++
        return this.take('open', 1)
      case ')':
        if (--this.parens < 0) return this.fault(start, 'a parenthesis is closed that was not opened')
        return this.take('close', 1)
      case '$':
        return this.word('variable', start + 1)
    }
    if (char === '.' && !/[0-9]/.test(this.source[start + 1] ?? '')) return this.word('field', start + 1)
    if (/[0-9.+-]/.test(char)) return this.number(start)
    if (this.wordEnd(start) > start) return this.word('identifier', start)
    const code = this.source.codePointAt(start)!
    if (code > 0x20 && code < 0x7f) return this.take('other', 1)
    return this.fault(start, `unexpected character ${JSON.stringify(String.fromCodePoint(code))}`)
  }

  private space(start: number): Token {
    SPACES.lastIndex = start
    let end = start + (SPACES.exec(this.source)?.[0].length ?? 0)
    // the last blank belongs to the marker of " -}}"
    if (this.rightAt(end - 1)) end--
    if (end === start) return this.insideAction()
    this.position = end
    return this.token('space', start)
  }

  private number(start: number): Token {
    NUMBER.lastIndex = start
    const end = start + (NUMBER.exec(this.source)?.[0].length ?? 0)
    if (this.wordEnd(end) > end)
      return this.fault(start, `"${this.source.slice(start, this.wordEnd(end))}" is not a number`)
    return this.take('number', end - start)
  }

  private word(type: 'variable' | 'field' | 'identifier', from: number): Token {
    const start = this.position
    const end = this.wordEnd(from)
    if (!this.endsWord(end))
      return this.fault(
        start,
        `unexpected character ${JSON.stringify(String.fromCodePoint(this.source.codePointAt(end)!))}`,
      )
    const text = this.source.slice(start, end)
    if (type === 'field' && text === '.') return this.take('dot', 1)
    if (type !== 'identifier') return this.take(type, end - start)
    if (KEYWORDS.has(text)) return this.take('keyword', end - start)
    return this.take(text === 'true' || text === 'false' ? 'bool' : 'identifier', end - start)
  }

  private wordEnd(from: number): number {
    WORD.lastIndex = from
    return from + (WORD.exec(this.source)?.[0].length ?? 0)
  }

  private endsWord(at: number): boolean {
    const char = this.source[at]
    return char === undefined || isSpace(char) || '.,|:)('.includes(char) || this.source.startsWith('}}', at)
  }

  private match(type: TokenType, pattern: RegExp, fault: string): Token {
    pattern.lastIndex = this.position
    const found = pattern.exec(this.source)
    return found ? this.take(type, found[0].length) : this.fault(this.position, fault)
  }

  private take(type: TokenType, length: number): Token {
    const start = this.position
    this.position += length
    return this.token(type, start)
  }

  private trimsBefore(at: number): boolean {
    return this.source[at] === '-' && isSpace(this.source[at + 1])
  }

  /** The end of an action, if one stands here, and where the text goes on after it. */
  private rightAt(at: number): { after: number } | undefined {
    if (this.source.startsWith('}}', at)) return { after: at + 2 }
    if (!isSpace(this.source[at]) || !this.source.startsWith('-}}', at + 1)) return undefined
    SPACES.lastIndex = at + 4
    return { after: at + 4 + (SPACES.exec(this.source)?.[0].length ?? 0) }
  }

  private fault(at: number, reason: string): Token {
    this.position = at
    return { type: 'error', text: reason, line: this.lineAt(at) }
  }

  private token(type: TokenType, start: number, end = this.position): Token {
    return { type, text: this.source.slice(start, end), line: this.lineAt(start) }
  }

  /** Tokens come in order, so each line break is counted once. */
  private lineAt(at: number): number {
    for (; this.counted < at; this.counted++) if (this.source.charCodeAt(this.counted) === 10) this.line++
    return this.line
  }
}

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n'
}
