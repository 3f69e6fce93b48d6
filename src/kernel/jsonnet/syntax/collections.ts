import type { AssertNode, Bind, FieldNode, ForSpec, Node, Visibility } from './ast.ts'
import { parseBind, parseFunction } from './functions.ts'
import type { TokenReader } from './token-reader.ts'
import { showToken, type Token } from './tokens.ts'

/** `[…]`, a list or a comprehension. The opening bracket is taken. */
export function parseArray(tokens: TokenReader, at: number): Node {
  const items: Node[] = []
  while (!tokens.accept(']')) {
    items.push(tokens.expression())
    const comma = tokens.accept(',')
    if (items.length === 1 && tokens.accept('for')) {
      const specs = parseForSpecs(tokens, ']')
      return tokens.node(
        { type: 'arrayFor', item: items[0]!, specs },
        at,
        [items[0], ...nodesOf(specs)],
        1 + 3 * specs.length,
      )
    }
    if (!comma && !tokens.is(']')) throw tokens.fail('Expected a comma before next array element', tokens.peek().at)
  }
  return tokens.node({ type: 'array', items }, at, items)
}

/** `{…}`, fields or a comprehension. */
export function parseObject(tokens: TokenReader): Node {
  const { at } = tokens.expect('{')
  const fields: FieldNode[] = []
  const locals: Bind[] = []
  const asserts: AssertNode[] = []
  const names = new Set<string>()
  const localNames = new Set<string>()
  while (!tokens.accept('}')) {
    const next = tokens.peek()
    if (next.kind === 'identifier' || next.kind === 'string' || tokens.is('[')) fields.push(parseField(tokens, names))
    else if (tokens.accept('local')) locals.push(parseBind(tokens, localNames))
    else if (tokens.accept('assert')) asserts.push(parseAssert(tokens, next.at))
    else throw tokens.fail(`Unexpected: ${showToken(next)} while parsing field definition`, next.at)
    const comma = tokens.accept(',')
    if (tokens.is('for')) return parseObjectFor(tokens, at, { fields, locals, asserts })
    if (!comma && !tokens.is('}')) throw tokens.fail('Expected a comma before next field', tokens.peek().at)
  }
  const children = [
    ...fields.flatMap(({ name, value }) => [name, value]),
    ...locals.map(({ value }) => value),
    ...asserts.flatMap(({ condition, message }) => [condition, message]),
  ]
  return tokens.node({ type: 'object', body: { fields, locals, asserts } }, at, children)
}

function parseAssert(tokens: TokenReader, at: number): AssertNode {
  const condition = tokens.expression()
  const message = tokens.accept(':') ? tokens.expression() : undefined
  return { condition, message, location: { source: tokens.source, at } }
}

function parseField(tokens: TokenReader, names: Set<string>): FieldNode {
  const first = tokens.take()
  const computed = first.kind === 'operator'
  const name = computed ? tokens.expression() : tokens.node({ type: 'literal', value: first.text }, first.at, [])
  if (computed) tokens.expect(']')
  let plus = false
  let visibility: Visibility = 0
  const separator = () => {
    ;({ plus, visibility } = assignment(tokens, tokens.take()))
    if (computed) return
    if (names.has(first.text)) throw tokens.fail(`Duplicate field: ${first.text}`, first.at)
    names.add(first.text)
  }
  const method = tokens.accept('(')
  if (!method) separator()
  const value = method ? parseFunction(tokens, first.at, separator) : tokens.expression()
  if (plus && method) throw tokens.fail(`Cannot use +: syntax sugar in a method: ${first.text}`, first.at)
  return { name, computed, visibility, plus, value }
}

const ASSIGNMENTS: Readonly<Record<string, Visibility>> = { ':': 0, '::': 1, ':::': 2 }

function assignment(tokens: TokenReader, token: Token): { plus: boolean; visibility: Visibility } {
  const plus = token.text.startsWith('+')
  const visibility = token.kind === 'operator' ? ASSIGNMENTS[plus ? token.text.slice(1) : token.text] : undefined
  if (visibility === undefined)
    throw tokens.fail(`Expected one of :, ::, :::, +:, +::, +:::, got: ${showToken(token)}`, token.at)
  return { plus, visibility }
}

function parseObjectFor(
  tokens: TokenReader,
  at: number,
  { fields, locals, asserts }: { fields: FieldNode[]; locals: Bind[]; asserts: AssertNode[] },
): Node {
  const where = tokens.expect('for').at
  const [field, second] = fields
  if (asserts.length > 0) throw tokens.fail('Object comprehension cannot have asserts', where)
  if (!field || second) throw tokens.fail('Object comprehension can only have one field', where)
  if (field.visibility !== 0) throw tokens.fail('Object comprehensions cannot have hidden fields', where)
  if (!field.computed) throw tokens.fail('Object comprehensions can only have [e] fields', where)
  const specs = parseForSpecs(tokens, '}')
  const children = [field.name, field.value, ...locals.map(({ value }) => value), ...nodesOf(specs)]
  return tokens.node({ type: 'objectFor', field, locals, specs }, at, children, 1 + 3 * specs.length)
}

/** `x in a if c for y in b …` up to and with the closing bracket. The first `for` is taken. */
function parseForSpecs(tokens: TokenReader, end: ']' | '}'): ForSpec[] {
  const specs: ForSpec[] = []
  do {
    const variable = tokens.expectKind('identifier').text
    tokens.expect('in')
    const list = tokens.expression()
    const conditions: Node[] = []
    while (tokens.accept('if')) conditions.push(tokens.expression())
    specs.push({ variable, list, conditions })
  } while (tokens.accept('for'))
  const last = tokens.take()
  if (last.text !== end || last.kind !== 'operator')
    throw tokens.fail(`Expected for, if or "${end}" after for clause, got: ${showToken(last)}`, last.at)
  return specs
}

const nodesOf = (specs: ForSpec[]) => specs.flatMap(({ list, conditions }) => [list, ...conditions])
