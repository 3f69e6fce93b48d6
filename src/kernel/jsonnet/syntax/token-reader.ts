import { JsonnetError, type Source } from '../errors.ts'
import type { Node, Shape } from './ast.ts'
import { lex } from './lexer.ts'
import { showToken, type Token, type TokenKind } from './tokens.ts'

/**
 * How deep expressions may stand in each other, and how high a tree may be (`a + b + c` grows without nesting). Both are
 * far from where a stack ends: a level costs the parser seven calls, and a walk over the tree two.
 */
const MAX_OPEN = 250
const MAX_HEIGHT = 1000

/** The reading end of the parser: tokens one by one, nodes with their height. */
export class TokenReader {
  readonly source: Source
  readonly #tokens: Token[]
  #at = 0
  #open = 0

  readonly #parse: (tokens: TokenReader) => Node

  constructor(source: Source, parse: (tokens: TokenReader) => Node) {
    this.source = source
    this.#parse = parse
    this.#tokens = lex(source)
  }

  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!
  }

  take(): Token {
    const token = this.peek()
    this.#at += 1
    return token
  }

  /** Takes the next token if it is this operator, bracket or keyword. */
  accept(text: string): boolean {
    if (!this.is(text)) return false
    this.#at += 1
    return true
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.text === text && (token.kind === 'operator' || token.kind === 'keyword')
  }

  expect(text: string): Token {
    const token = this.take()
    if (token.text === text && (token.kind === 'operator' || token.kind === 'keyword')) return token
    throw this.fail(`Expected token "${text}" but got ${showToken(token)}`, token.at)
  }

  expectKind(kind: TokenKind): Token {
    const token = this.take()
    if (token.kind === kind) return token
    throw this.fail(`Expected token ${kind.toUpperCase()} but got ${showToken(token)}`, token.at)
  }

  fail(reason: string, at: number): JsonnetError {
    return new JsonnetError('static', reason, { source: this.source, at })
  }

  /** @throws JsonnetError when expressions begin inside each other deeper than a parser may go */
  expression(): Node {
    return this.nested(this.#parse)
  }

  nested(parse: (tokens: TokenReader) => Node): Node {
    this.#open += 1
    if (this.#open > MAX_OPEN) throw this.tooDeep(this.peek().at)
    const node = parse(this)
    this.#open -= 1
    return node
  }

  /** @param extra levels that a walk goes down besides those of the children */
  node(shape: Shape, at: number, children: (Node | undefined)[], extra = 1): Node {
    let height = 0
    for (const child of children) if (child && child.height > height) height = child.height
    if (height + extra > MAX_HEIGHT) throw this.tooDeep(at)
    return Object.assign(shape, { location: { source: this.source, at }, height: height + extra })
  }

  tooDeep(at: number): JsonnetError {
    return this.fail(`expressions are nested too deep`, at)
  }
}
