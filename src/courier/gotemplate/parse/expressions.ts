import { type Location, ParseError } from '../errors.ts'
import { Lexer } from './lexer.ts'
import { parseFloat64, parseInteger, unquote, unquoteCharacter } from './literals.ts'
import type { Command, Expression, NumberLiteral, Pipe } from './nodes.ts'
import type { Token, TokenType } from './tokens.ts'

/** Parentheses inside each other. */
const MAX_PARENTHESES = 400
const OPERANDS = new Set<TokenType>([
  'bool',
  'char',
  'dot',
  'field',
  'identifier',
  'number',
  'string',
  'variable',
  'open',
])
const CONSTANTS = new Set(['bool', 'dot', 'nil', 'number', 'string'])

/** Reads what stands between the braces; the parser of blocks builds on it. */
export abstract class Expressions {
  protected variables = ['$']
  private readonly file: string
  private readonly lexer: Lexer
  private readonly functions: ReadonlySet<string>
  private readonly ahead: Token[] = []
  /** Line of the token read last, looked at or taken: where a fault is. */
  private line = 1
  private lastLocation: Location = { template: '', line: 0 }
  private parentheses = 0

  constructor(file: string, source: string, functions: ReadonlySet<string>) {
    this.file = file
    this.lexer = new Lexer(source)
    this.functions = functions
  }

  protected pipeline(context: string, end: 'right' | 'close'): Pipe {
    const pipe: Pipe = {
      type: 'pipe',
      at: this.location(this.peekNonSpace()),
      variables: [],
      assigns: false,
      commands: [],
    }
    this.declarations(pipe, context)
    for (;;) {
      const token = this.peekNonSpace()
      if (token.type === end) break
      if (!OPERANDS.has(token.type) && token.text !== 'nil') this.unexpected(token, context)
      pipe.commands.push(this.command())
    }
    this.nextNonSpace()
    if (pipe.commands.length === 0) this.fail(`${context} lacks a value`)
    for (const [index, { args }] of pipe.commands.entries())
      if (index > 0 && CONSTANTS.has(args[0]!.type)) this.fail(`a constant cannot follow "|" (part ${index + 1})`)
    return pipe
  }

  /** `$x :=`, `$x =`, and for `range` also `$i, $x :=`. */
  private declarations(pipe: Pipe, context: string): void {
    for (;;) {
      const variable = this.peekNonSpace()
      if (variable.type !== 'variable') return
      this.next()
      const space = this.peek().type === 'space' ? this.next() : undefined
      const next = this.peekNonSpace()
      const declares = next.type === 'assign' || next.type === 'declare'
      if (!declares && next.type !== 'comma') {
        if (space) this.ahead.unshift(space)
        this.ahead.unshift(variable)
        return
      }
      this.nextNonSpace()
      pipe.variables.push(variable.text)
      this.variables.push(variable.text)
      if (declares) {
        pipe.assigns = next.type === 'assign'
        return
      }
      if (context !== 'range' || pipe.variables.length > 1) this.fail(`too many variables in ${context}`)
      if (!['variable', 'right', 'close'].includes(this.peekNonSpace().type))
        this.fail('only variables can stand before ":=" in range')
    }
  }

  private command(): Command {
    const command: Command = { at: this.location(this.peekNonSpace()), args: [] }
    for (;;) {
      this.peekNonSpace()
      const operand = this.operand()
      if (operand) command.args.push(operand)
      const token = this.next()
      if (token.type === 'space') continue
      if (token.type === 'right' || token.type === 'close') this.ahead.unshift(token)
      else if (token.type !== 'pipe') this.unexpected(token, 'operand')
      break
    }
    if (command.args.length === 0) this.fail('a command is empty')
    return command
  }

  private operand(): Expression | undefined {
    const term = this.term()
    if (!term || this.peek().type !== 'field') return term
    const at = this.location(this.peek())
    const names: string[] = []
    while (this.peek().type === 'field') names.push(this.next().text.slice(1))
    if (term.type === 'field') return { type: 'field', at, names: [...term.names, ...names] }
    if (term.type === 'variable') return { ...term, at, names: [...term.names, ...names] }
    if (CONSTANTS.has(term.type)) this.fail('a member of a constant')
    return { type: 'chain', at, of: term, names }
  }

  private term(): Expression | undefined {
    const token = this.nextNonSpace()
    const at = this.location(token)
    switch (token.type) {
      case 'identifier':
        if (!this.functions.has(token.text)) this.fail(`function ${JSON.stringify(token.text)} is not defined`)
        return { type: 'function', at, name: token.text }
      case 'dot':
        return { type: 'dot', at }
      case 'variable':
        if (!this.variables.includes(token.text)) this.fail(`variable ${token.text} is not defined`)
        return { type: 'variable', at, name: token.text, names: [] }
      case 'field':
        return { type: 'field', at, names: [token.text.slice(1)] }
      case 'bool':
        return { type: 'bool', at, value: token.text === 'true' }
      case 'char':
      case 'number':
        return this.number(token, at)
      case 'open':
        return this.parenthesised()
      case 'string':
        return { type: 'string', at, value: this.unquoted(token) }
      case 'keyword':
        if (token.text === 'nil') return { type: 'nil', at }
    }
    this.ahead.unshift(token)
    return undefined
  }

  private parenthesised(): Pipe {
    if (++this.parentheses > MAX_PARENTHESES) this.fail(`parentheses are nested deeper than ${MAX_PARENTHESES}`)
    const pipe = this.pipeline('parentheses', 'close')
    this.parentheses--
    return pipe
  }

  private number(token: Token, at: Location): NumberLiteral {
    if (token.type === 'char') {
      const code = this.checked(() => unquoteCharacter(token.text))
      return { type: 'number', at, int: BigInt(code), uint: BigInt(code), float: code, looksFloat: false }
    }
    const looksFloat = /^[+-]?0[xX]/.test(token.text) ? /[pP]/.test(token.text) : /[.eE]/.test(token.text)
    const whole = parseInteger(token.text)
    const float = whole === undefined ? parseFloat64(token.text) : Number(whole)
    if (float === undefined || (whole === undefined && !looksFloat))
      this.fail(`${JSON.stringify(token.text)} is not a number`)
    const exact = whole ?? (Number.isInteger(float) ? BigInt(float) : undefined)
    const int = exact !== undefined && BigInt.asIntN(64, exact) === exact ? exact : undefined
    const uint = exact !== undefined && BigInt.asUintN(64, exact) === exact ? exact : undefined
    if (!looksFloat && int === undefined && uint === undefined) this.fail(`${token.text} does not fit into 64 bits`)
    return {
      type: 'number',
      at,
      float,
      looksFloat,
      ...(int !== undefined && { int }),
      ...(uint !== undefined && { uint }),
    }
  }

  protected unquoted(token: Token): string {
    return this.checked(() => unquote(token.text))
  }

  private checked<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof SyntaxError) this.fail(error.message)
      throw error
    }
  }

  protected next(): Token {
    const token = this.ahead.shift() ?? this.lexer.next()
    if (this.ahead.length === 0) this.line = Math.max(this.line, token.line)
    return token
  }

  protected peek(): Token {
    const token = this.ahead[0] ?? this.next()
    if (this.ahead.length === 0) this.ahead.push(token)
    return token
  }

  protected nextNonSpace(): Token {
    for (;;) {
      const token = this.next()
      if (token.type !== 'space') return token
    }
  }

  protected peekNonSpace(): Token {
    while (this.peek().type === 'space') this.next()
    return this.peek()
  }

  /** Nodes of one line share their place. */
  protected location(token: Token): Location {
    if (this.lastLocation.line !== token.line) this.lastLocation = { template: this.file, line: token.line }
    return this.lastLocation
  }

  protected unexpected(token: Token, where: string): never {
    if (token.type === 'error') this.fail(token.text)
    const what = token.type === 'end of text' || token.type === 'right' ? token.type : JSON.stringify(token.text)
    return this.fail(`unexpected ${what.replace('right', '"}}"')} in ${where}`)
  }

  protected fail(reason: string): never {
    throw new ParseError({ template: this.file, line: this.line }, reason)
  }
}
