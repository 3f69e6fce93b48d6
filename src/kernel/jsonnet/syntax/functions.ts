import type { Bind, Node, Parameter } from './ast.ts'
import type { TokenReader } from './token-reader.ts'

/** `(a, b=1) e` or `(a, b=1)`, a separator and `e`. The opening bracket is taken. */
export function parseFunction(tokens: TokenReader, at: number, separator?: () => void): Node {
  const parameters = parseParameters(tokens)
  separator?.()
  const body = tokens.expression()
  return tokens.node({ type: 'function', parameters, body }, at, [body, ...parameters.map((p) => p.fallback)])
}

/** `x = e` or `f(a, b=1) = e`. @param before names that are taken, to which this one is added */
export function parseBind(tokens: TokenReader, before: Set<string>): Bind {
  const { text: name, at } = tokens.expectKind('identifier')
  if (before.has(name)) throw tokens.fail(`Duplicate local var: ${name}`, at)
  before.add(name)
  if (tokens.accept('(')) return { name, value: parseFunction(tokens, at, () => tokens.expect('=')) }
  tokens.expect('=')
  return { name, value: tokens.expression() }
}

/** Up to and with the closing bracket. */
function parseParameters(tokens: TokenReader): Parameter[] {
  const parameters: Parameter[] = []
  const names = new Set<string>()
  while (!tokens.accept(')')) {
    const name = tokens.expectKind('identifier')
    if (names.has(name.text)) throw tokens.fail(`Duplicate parameter: ${name.text}`, name.at)
    names.add(name.text)
    parameters.push({ name: name.text, fallback: tokens.accept('=') ? tokens.expression() : undefined })
    if (!tokens.accept(',') && !tokens.is(')'))
      throw tokens.fail('Expected a comma before next function parameter', tokens.peek().at)
  }
  return parameters
}
