import type { Source } from '../errors.ts'
import type { Argument, BinaryOperator, Bind, Node, UnaryOperator } from './ast.ts'
import { parseArray, parseObject } from './collections.ts'
import { parseBind, parseFunction } from './functions.ts'
import { TokenReader } from './token-reader.ts'
import { showToken } from './tokens.ts'

/** Lower binds tighter. */
const PRECEDENCE = new Map<string, number>([
  ...['*', '/', '%'].map((operator) => [operator, 5] as const),
  ...['+', '-'].map((operator) => [operator, 6] as const),
  ...['<<', '>>'].map((operator) => [operator, 7] as const),
  ...['<', '<=', '>', '>=', 'in'].map((operator) => [operator, 8] as const),
  ...['==', '!='].map((operator) => [operator, 9] as const),
  ['&', 10],
  ['^', 11],
  ['|', 12],
  ['&&', 13],
  ['||', 14],
])
const LOOSEST = 16

/** @throws JsonnetError (static) */
export function parse(source: Source): Node {
  const tokens = new TokenReader(source, (reader) => parseBinary(reader, LOOSEST))
  const node = tokens.expression()
  const rest = tokens.peek()
  if (rest.kind !== 'end') throw tokens.fail(`Did not expect: ${showToken(rest)}`, rest.at)
  return node
}

function parseBinary(tokens: TokenReader, loosest: number): Node {
  const { at } = tokens.peek()
  let left = parseUnary(tokens)
  for (;;) {
    const token = tokens.peek()
    if (token.kind !== 'operator' && !tokens.is('in')) return left
    const precedence = PRECEDENCE.get(token.text)
    if (precedence === undefined) {
      if (':::,;)]}'.includes(token.text)) return left
      throw tokens.fail(`Not a binary operator: ${token.text}`, token.at)
    }
    if (precedence > loosest) return left
    tokens.take()
    if (token.text === 'in' && tokens.accept('super')) {
      left = tokens.node({ type: 'inSuper', name: left }, at, [left])
      continue
    }
    const right = parseBinary(tokens, precedence - 1)
    const operator = token.text as BinaryOperator
    left = tokens.node({ type: 'binary', operator, left, right }, at, [left, right])
  }
}

function parseUnary(tokens: TokenReader): Node {
  const token = tokens.peek()
  if (token.kind === 'keyword') {
    const greedy = parseKeyword(tokens)
    if (greedy) return greedy
  }
  if (token.kind !== 'operator' || '{[('.includes(token.text) || token.text === '$') return parsePostfix(tokens)
  if (!['!', '~', '+', '-'].includes(token.text)) {
    if ('}],.);'.includes(token.text)) throw tokens.fail(`Unexpected: ${showToken(token)}`, token.at)
    throw tokens.fail(`Not a unary operator: ${token.text}`, token.at)
  }
  tokens.take()
  const operand = tokens.nested(parseUnary)
  return tokens.node({ type: 'unary', operator: token.text as UnaryOperator, operand }, token.at, [operand])
}

/** What begins with a keyword reaches as far as it can: `1 + if a then b else c + d`. */
function parseKeyword(tokens: TokenReader): Node | undefined {
  const { text, at } = tokens.peek()
  switch (text) {
    case 'assert': {
      tokens.take()
      const condition = tokens.expression()
      const message = tokens.accept(':') ? tokens.expression() : undefined
      tokens.expect(';')
      const rest = tokens.expression()
      return tokens.node({ type: 'assert', condition, message, rest }, at, [condition, message, rest])
    }
    case 'error': {
      tokens.take()
      const message = tokens.expression()
      return tokens.node({ type: 'error', message }, at, [message])
    }
    case 'if': {
      tokens.take()
      const condition = tokens.expression()
      tokens.expect('then')
      const then = tokens.expression()
      const otherwise = tokens.accept('else') ? tokens.expression() : undefined
      return tokens.node({ type: 'if', condition, then, otherwise }, at, [condition, then, otherwise])
    }
    case 'function': {
      tokens.take()
      tokens.expect('(')
      return parseFunction(tokens, at)
    }
    case 'import':
    case 'importstr':
    case 'importbin':
      return parseImport(tokens, at)
    case 'local': {
      tokens.take()
      const binds: Bind[] = []
      const names = new Set<string>()
      do binds.push(parseBind(tokens, names))
      while (tokens.accept(','))
      tokens.expect(';')
      const body = tokens.expression()
      return tokens.node({ type: 'local', binds, body }, at, [body, ...binds.map(({ value }) => value)])
    }
  }
  return undefined
}

/** Parsed, and refused when it is evaluated. */
function parseImport(tokens: TokenReader, at: number): Node {
  tokens.take()
  const name = tokens.peek()
  const file = tokens.expression()
  if (name.block) throw tokens.fail('Block string literals not allowed in imports', name.at)
  if (file.type !== 'literal' || typeof file.value !== 'string')
    throw tokens.fail('Computed imports are not allowed', name.at)
  return tokens.node({ type: 'import', file: file.value }, at, [])
}

function parseArguments(tokens: TokenReader): Argument[] {
  const list: Argument[] = []
  while (!tokens.accept(')')) {
    const { kind, at, text } = tokens.peek()
    const name = kind === 'identifier' && tokens.is('=', 1) ? text : undefined
    if (name !== undefined) {
      tokens.take()
      tokens.take()
    }
    const value = tokens.expression()
    if (name === undefined && list.at(-1)?.name !== undefined)
      throw tokens.fail('Positional argument after a named argument is not allowed', at)
    list.push({ name, value })
    if (!tokens.accept(',') && !tokens.is(')'))
      throw tokens.fail('Expected a comma before next function argument', tokens.peek().at)
  }
  return list
}

function parsePostfix(tokens: TokenReader): Node {
  const { at } = tokens.peek()
  let target = parseTerminal(tokens)
  for (;;) {
    const next = tokens.peek()
    if (next.kind !== 'operator') return target
    if (tokens.accept('.')) {
      const name = tokens.expectKind('identifier')
      const key = tokens.node({ type: 'literal', value: name.text }, name.at, [])
      target = tokens.node({ type: 'index', target, key }, at, [target])
    } else if (tokens.accept('(')) {
      const list = parseArguments(tokens)
      const strict = tokens.accept('tailstrict')
      const children = [target, ...list.map(({ value }) => value)]
      target = tokens.node({ type: 'call', target, arguments: list, strict }, at, children)
    } else if (tokens.accept('[')) target = parseSubscript(tokens, target, at)
    else if (tokens.is('{')) {
      const right = parseObject(tokens)
      target = tokens.node({ type: 'binary', operator: '+', left: target, right }, at, [target, right])
    } else return target
  }
}

/** `target[e]` or `target[from:to:step]`, each of the three optional. */
function parseSubscript(tokens: TokenReader, target: Node, at: number): Node {
  const parts: (Node | undefined)[] = []
  let part: Node | undefined
  while (!tokens.accept(']')) {
    if (tokens.accept(':')) parts.push(part)
    else if (tokens.accept('::')) parts.push(part, undefined)
    else if (part === undefined) {
      part = tokens.expression()
      continue
    } else throw tokens.fail(`Expected token "]" but got ${showToken(tokens.peek())}`, tokens.peek().at)
    part = undefined
    if (parts.length > 2) throw tokens.fail('Invalid slice: too many colons', tokens.peek().at)
  }
  if (parts.length === 0) {
    if (!part) throw tokens.fail('an index requires an expression', at)
    return tokens.node({ type: 'index', target, key: part }, at, [target, part])
  }
  parts.push(part)
  const [from, to, step] = parts
  return tokens.node({ type: 'slice', target, from, to, step }, at, [target, ...parts])
}

function parseTerminal(tokens: TokenReader): Node {
  if (tokens.is('{')) return parseObject(tokens)
  const token = tokens.take()
  const { at, text } = token
  switch (token.kind) {
    case 'identifier':
      return tokens.node({ type: 'variable', name: text }, at, [])
    case 'string':
      return tokens.node({ type: 'literal', value: text }, at, [])
    case 'number': {
      const value = Number(text)
      if (Number.isFinite(value)) return tokens.node({ type: 'literal', value }, at, [])
      // an error only where it is evaluated
      return tokens.node(
        { type: 'error', message: tokens.node({ type: 'literal', value: 'overflow' }, at, []) },
        at,
        [],
      )
    }
    case 'end':
      throw tokens.fail('Unexpected end of file', at)
  }
  switch (text) {
    case '(': {
      const inner = tokens.expression()
      tokens.expect(')')
      return inner
    }
    case '[':
      return parseArray(tokens, at)
    case 'null':
      return tokens.node({ type: 'literal', value: null }, at, [])
    case 'true':
    case 'false':
      return tokens.node({ type: 'literal', value: text === 'true' }, at, [])
    case '$':
      return tokens.node({ type: 'dollar' }, at, [])
    case 'self':
      return tokens.node({ type: 'self' }, at, [])
    case 'super':
      return parseSuper(tokens, at)
  }
  throw tokens.fail(`Unexpected: ${showToken(token)} while parsing terminal`, at)
}

function parseSuper(tokens: TokenReader, at: number): Node {
  if (tokens.accept('.')) {
    const field = tokens.expectKind('identifier')
    const name = tokens.node({ type: 'literal', value: field.text }, field.at, [])
    return tokens.node({ type: 'super', name }, at, [name])
  }
  if (!tokens.accept('[')) throw tokens.fail('Expected . or [ after super', at)
  const name = tokens.expression()
  tokens.expect(']')
  return tokens.node({ type: 'super', name }, at, [name])
}
