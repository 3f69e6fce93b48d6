import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { evaluate, JsonnetError } from '../../../src/kernel/jsonnet/index.ts'

const failure = (source: string, inputs: Parameters<typeof evaluate>[1] = { file: 'p' }): JsonnetError => {
  try {
    evaluate(source, inputs)
  } catch (error) {
    assert(error instanceof JsonnetError, `${source.slice(0, 80)}: ${(error as Error).stack}`)
    return error
  }
  assert.fail(`${source.slice(0, 80)} ended`)
}

const WORK = {
  'a loop': 'local f(n) = f(n + 1) tailstrict; f(0)',
  'loops in loops': '[1 for a in std.range(1, 500) for b in std.range(1, 500) for c in std.range(1, 500)]',
  'calls that double': 'local f(n) = if n < 2 then n else f(n - 1) + f(n - 2); f(40)',
  'sharing that doubles': 'local d(n) = if n == 0 then [] else local x = d(n - 1); [x, x]; std.prune(d(40))',
  'equality that doubles': 'local d(n) = if n == 0 then [] else local x = d(n - 1); [x, x]; d(40) == d(40)',
  'a list that grows': 'std.foldl(function(a, x) a + [x], std.range(1, 50000), [])',
  'a text that grows': 'std.foldl(function(a, x) a + "xxxxxxxxxxxxxxxx", std.range(1, 50000), "")',
  'objects that grow': 'std.foldl(function(a, x) a + { ["k" + x]: x }, std.range(1, 50000), {})',
  sorting: 'std.sort(std.makeArray(150000, function(i) -i))',
  'named arguments': `local f(${names(2000)}) = 1; [f(${names(2000)}) for x in std.range(1, 1000)]`,
  'digests of much': 'std.foldl(function(a, i) std.md5(std.repeat("a", 400000)), std.range(1, 1000), 0)',
  'texts by place':
    'local s = std.repeat("\u{1f600}", 90000); [s[i] + std.repeat("a", 900)[i % 900] for i in std.range(1, 9000)]',
  'many patterns': 'std.findSubstr(std.repeat("a", 1000), std.repeat("a", 500000))',
  'fields that are missing': `local o = std.foldl(function(a, x) a + {['k' + x]: x}, std.range(1, 300), {});
    std.foldl(function(n, i) n + o.k1, std.range(1, 100000), 0)`,
}

const SIZE = {
  'a document that doubles': 'local d(n) = if n == 0 then {} else local x = d(n - 1); { a: x, b: x }; d(40)',
  'an array': 'std.range(1, 1000001)',
  'an array of calls': 'std.makeArray(2000000, function(i) i)',
  'a text repeated': 'std.repeat("ab", 500001)',
  'a text doubled': 'local d(s, n) = if n == 0 then s else d(s + s, n - 1); d("x", 60)',
  'a width': '"%1000001d" % 1',
  'a precision that is given': '"%.*d" % [1000001, 1]',
  replacing: 'std.strReplace(std.repeat("a", 2000), "a", std.repeat("b", 2000))',
  joining: 'std.join(std.repeat("a", 2000), std.repeat([""], 2000))',
  escaping: 'std.escapeStringXML(std.repeat("<", 200000))',
}

const DEPTH = {
  'a function': 'local f(n) = 1 + f(n + 1); f(0)',
  'a value': 'local x = x; x',
  'a field': '{ a: self.b, b: self.a }',
  'an array in itself': 'local x = [x]; x',
  'an object in itself': '{ a: $ }',
  'arguments that are not given': 'local f(a=f()) = a; f()',
  'a tall expression': `local f(n) = ${'1 + ('.repeat(100)}f(n)${')'.repeat(100)}; f(1)`,
  'a call of the library': 'local f(n) = std.foldl(function(a, x) f(n), [1], 0); f(1)',
  'a key of sorting': 'local f(n) = std.sort([1, 2], keyF=function(y) f(n)); f(1)',
  'a comprehension': 'local f(n) = [f(n) for x in [1]][0]; f(1)',
  'an assertion': 'local f(n) = { assert f(n) == 1, a: 1 }.a; f(1)',
  'adding to what is below': 'local f(o) = f(o { a+: 1 }); f({})',
  formatting: 'local f(n) = "%s" % f(n); f(1)',
  'a message': 'local f(n) = error f(n); f(1)',
  equality: 'local x = [x], y = [y]; x == y',
  order: 'local x = [x], y = [y]; x < y',
  'as text': 'local x = [x]; "" + x',
  'as JSON': 'local x = [x]; std.manifestJsonEx(x, "")',
  'as YAML': 'local x = [x]; std.manifestYamlDoc(x)',
  'as TOML': 'local x = { a: x }; std.manifestToml(x)',
  'as Python': 'local x = [x]; std.manifestPython(x)',
  'as XML': 'local x = ["a", x]; std.manifestXmlJsonml(x)',
  pruning: 'local x = [x]; std.prune(x)',
  flattening: 'local x = [x]; std.flattenDeepArray(x)',
  joining: 'local x = [x]; std.deepJoin(x)',
  parsing: 'std.parseJson(std.repeat("[", 5000) + std.repeat("]", 5000))',
}

const NESTING = {
  brackets: '('.repeat(50_000),
  arrays: '['.repeat(50_000),
  objects: '{a:'.repeat(50_000),
  signs: `${'-'.repeat(50_000)}1`,
  sums: `1${' + 1'.repeat(20_000)}`,
  fields: `a${'.a'.repeat(20_000)}`,
  calls: `a${'()'.repeat(20_000)}`,
  conditions: 'if 1 then '.repeat(10_000),
  locals: 'local a = 1; '.repeat(10_000),
  functions: 'function(x) '.repeat(10_000),
  comprehensions: `[x ${'for x in [1] '.repeat(5_000)}]`,
}

describe('what has no end is ended by a limit', () => {
  for (const [kind, programs, reason] of [
    ['work', WORK, /takes more than 200000 steps/],
    ['size', SIZE, /would have more than 1000000 (elements|characters)/],
    ['depth', DEPTH, /max stack frames exceeded/],
  ] as const)
    for (const [name, source] of Object.entries(programs))
      it(`${kind}: ${name}`, () => {
        const first = failure(source)
        assert.equal(first.kind, 'budget')
        assert.match(first.reason, reason)
        // counted, not timed: it ends at the same place each time
        assert.equal(failure(source).message, first.message)
      })

  for (const [name, source] of Object.entries(NESTING))
    it(`nesting: ${name}`, () => {
      const error = failure(source)
      assert.deepEqual([error.kind, error.reason, error.line], ['static', 'expressions are nested too deep', 1])
    })

  it('a text of code', () => assert.match(failure(' '.repeat(300_000)).reason, /has more than 262144 characters/))

  it('also where the stack is nearly used up', () => {
    const deep = (left: number): JsonnetError =>
      left > 0 ? deep(left - 1) : failure('local f(n) = 1 + f(n + 1); f(0)')
    assert.match(deep(6000).reason, /max stack frames exceeded/)
  })

  it('limits can be others', () => {
    const source = 'std.foldl(function(a, x) a + x, std.range(1, 100), 0)'
    assert.equal(evaluate(source, { file: 'p', limits: { steps: 2000 } }), '5050\n')
    assert.match(failure(source, { file: 'p', limits: { steps: 200 } }).reason, /more than 200 steps/)
    assert.match(failure(source, { file: 'p', limits: { size: 99 } }).reason, /more than 99 elements/)
  })

  it('calls in tail position that are tailstrict go as far as the steps', () => {
    const source =
      'local even(n) = if n == 0 then true else odd(n - 1) tailstrict, odd(n) = if n == 0 then false else even(n - 1) tailstrict; even(20000)'
    assert.equal(evaluate(source, { file: 'p' }), 'true\n')
  })
})

function names(count: number): string {
  return Array.from({ length: count }, (_, index) => `a${index}=1`).join(', ')
}
