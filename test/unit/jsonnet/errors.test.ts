import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileProgram, evaluate, JsonnetError } from '../../../src/kernel/jsonnet/index.ts'

const inputs = { file: 'mapper.jsonnet', extCodes: { claims: '{"email": "a@example.com"}', broken: '{ a: }' } }

function failure(source: string, more: object = {}): JsonnetError {
  try {
    evaluate(source, { ...inputs, extCodes: { claims: inputs.extCodes.claims }, ...more })
  } catch (error) {
    assert(error instanceof JsonnetError, String(error))
    return error
  }
  assert.fail('ended')
}

describe('failures name the place', () => {
  for (const [source, message] of [
    ["local c = std.extVar('claims');\n{\n  a: c.name,\n}", 'mapper.jsonnet:3:8: Field does not exist: name'],
    ["local f(x) =\n  error 'no ' + x;\n{ a: f('way') }", 'mapper.jsonnet:2:3: no way'],
    ['{\n  a: 1 +\n    [2],\n}', 'mapper.jsonnet:2:6: Unexpected type array, expected number'],
    ['[\n  1,\n  std.length(5),\n]', 'mapper.jsonnet:3:3: Unexpected type number'],
    // what the library calls has a place of its own
    ['std.map(\n  function(x)\n    x.a,\n  [1])', 'mapper.jsonnet:3:7: Value non indexable: number'],
    ["std.join(',', [\n  std.nope()])", 'mapper.jsonnet:2:7: Field does not exist: nope'],
    ["{ a:\n  assert false : 'no'; 1 }", 'mapper.jsonnet:2:3: no'],
    ["{\n  assert self.a == 2 : 'not two',\n  a: 1 }", 'mapper.jsonnet:2:3: not two'],
    ['{ a: 1,\n  a: 2 }', 'mapper.jsonnet:2:3: Duplicate field: a'],
    ['{ a: b }', 'mapper.jsonnet:1:6: Unknown variable: b'],
    ["'\u{1f600}' +\n", 'mapper.jsonnet:2:1: Unexpected end of file'],
    ['{ a: "\\q" }', 'mapper.jsonnet:1:7: Unknown escape sequence in string literal: \\q'],
    ['std.extVar("identity")', 'mapper.jsonnet:1:1: Undefined external variable: identity'],
  ] as const)
    it(message, () => assert.equal(failure(source).message, message))

  it('in the code of an input', () => {
    assert.equal(
      failure("std.extVar('broken')", { extCodes: { broken: '{ a: }' } }).message,
      '<extvar:broken>:1:6: Unexpected: "}"',
    )
    const late = failure("std.extVar('late').a", { extCodes: { late: '{ a: 1 / 0 }' } })
    assert.equal(late.message, '<extvar:late>:1:6: Division by zero.')
  })
})

describe('inputs', () => {
  it('texts, code and arguments', () => {
    const source = "function(ctx, also='x') [std.extVar('text'), std.extVar('code').a, ctx.b, also]"
    const result = evaluate(source, {
      file: 'p',
      extVars: { text: '1 + 1' },
      extCodes: { code: '{ a: 1 + 1 }' },
      tlaCodes: { ctx: '{"b": [true]}' },
    })
    assert.deepEqual(JSON.parse(result), ['1 + 1', 2, [true], 'x'])
    assert.match(failure(source).message, /Missing argument: ctx/)
  })

  it('one program runs with many, and keeps nothing', () => {
    const program = compileProgram("local c = std.extVar('c'); { n: c.n, twice: self.n * 2 }", 'p')
    const run = (n: number) => JSON.parse(program.run({ extCodes: { c: JSON.stringify({ n }) } })).twice
    assert.deepEqual([1, 2, 1].map(run), [2, 4, 2])
    assert.throws(() => program.run({}), JsonnetError)
  })

  it('names that mean something to JavaScript are names', () => {
    const claims = '{"__proto__": {"a": 1}, "constructor": 2, "toString": 3, "hasOwnProperty": 4}'
    const source =
      "local c = std.extVar('c'); [c.__proto__.a, c.constructor, c.toString, 'valueOf' in c, std.objectFields(c)]"
    assert.deepEqual(JSON.parse(evaluate(source, { file: 'p', extCodes: { c: claims } })), [
      1,
      2,
      3,
      false,
      ['__proto__', 'constructor', 'hasOwnProperty', 'toString'],
    ])
    assert.match(failure("std.extVar('constructor')").message, /Undefined external variable/)
    assert.match(failure('std.constructor').message, /Field does not exist/)
    assert.equal(evaluate('{ ["__proto__"]: 1 }', { file: 'p' }), '{\n   "__proto__": 1\n}\n')
  })

  it('what std.trace says is handed on, and changes nothing', () => {
    const said: string[] = []
    const trace = (text: string) => said.push(text)
    assert.equal(evaluate("std.trace('a', 1)", { file: 'p', trace }), '1\n')
    assert.deepEqual(said, ['a'])
  })
})
