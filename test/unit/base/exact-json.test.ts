import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cloneJson, compactJson, readJson, stringifyJson } from '../../../src/kernel/base/exact-json.ts'
import { ExactNumber, sameNumber } from '../../../src/kernel/base/exact-number.ts'
import { leastCpuMs } from '../../helpers/cost.ts'
import fc from '../../helpers/fast-check.ts'

const HOSTILE = ['1546130668394913822', '0.1234567890123456789', '1e400', '-1E-400', '1.0', '-0.0', '-0', '1e2', '1.50']
const document = (number: string) => `{"a":[${number},{"b":${number}}],"c":"${number}","__proto__":{"d":${number}}}`

describe('numbers keep their text', () => {
  for (const number of HOSTILE) {
    test(number, () => {
      const value = readJson(document(number))
      assert.equal(stringifyJson(value), document(number))
      assert.equal(stringifyJson(cloneJson(value)), document(number))
      assert.deepEqual(stringifyJson(value, 2).replace(/\s/g, ''), document(number))
      assert.throws(() => JSON.stringify(value), /written by stringifyJson/)
    })
  }

  test('whatever they are', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,25})(\.\d{1,25})?([eE][+-]?\d{1,3})?$/)
    fc.assert(fc.property(digits, (number) => assert.equal(stringifyJson(readJson(`[${number}]`)), `[${number}]`)))
  })

  test('those that JavaScript gives back are plain', () => {
    const plain = ['0', '1', '-1', '123456789012345', '-9007199254740991', '1.5', '0.1', '1e+21', '1e-7']
    assert.deepEqual(readJson(`[${plain}]`), plain.map(Number))
  })
})

test('everything else is read and written as JSON.parse and JSON.stringify do', () => {
  const spaces = fc.constantFrom(undefined, 1, '\t', '\r\n')
  fc.assert(
    fc.property(fc.jsonValue(), spaces, fc.boolean(), (value, space, exact) => {
      const text = JSON.stringify(value, null, space)
      const wrapped = exact ? `[1.0,${text}]` : text
      const expected = exact ? [new ExactNumber('1.0'), JSON.parse(text)] : JSON.parse(text)
      assert.deepEqual(readJson(wrapped), expected)
      const numbers = /-0|\d[eE]/.test(text)
      if (!numbers)
        assert.equal(stringifyJson(readJson(wrapped)), exact ? `[1.0,${JSON.stringify(value)}]` : JSON.stringify(value))
      assert.deepEqual(JSON.parse(compactJson(text)), JSON.parse(text))
    }),
  )
})

test('what is no JSON is refused by both ways of reading', () => {
  for (const text of [
    '',
    '{',
    '[1,]',
    '{"a":1,}',
    '01',
    '1.',
    '.5',
    '+1',
    '1e',
    '--1',
    '"\\x"',
    '"a\nb"',
    'nul',
    '[1 2]',
    "{'a':1}",
    '{"a" 1}',
    '\ufeff1',
    '1.0.0',
    '"\ud800',
  ]) {
    for (const wrapped of [text, `[1.0,${text}]`]) assert.throws(() => readJson(wrapped), SyntaxError, wrapped)
  }
})

test('of a name that stands twice the last value counts', () => {
  assert.equal(stringifyJson(readJson('{"a":1.0,"a":{"b":1},"a":2.0}')), '{"a":2.0}')
})

test('numbers that are too long when they are written out are refused before they are read', () => {
  const long: [text: string, refused: boolean][] = [
    ['1e16382', false],
    ['1e16383', true],
    ['1e-16383', true],
    ['1e999999999999999999999', true],
    ['9'.repeat(16_383), false],
    ['9'.repeat(16_384), true],
    [`[${Array(8).fill('1e9999')}]`, true],
    [`[${Array(200).fill('1e+308')}]`, false],
    [`[${Array(300).fill('1e+308')}]`, true],
    ['"1e99999"', false],
  ]
  for (const [text, refused] of long) {
    if (refused) assert.throws(() => readJson(text), RangeError, text.slice(0, 20))
    else readJson(text)
  }
})

test('deep values need no stack', () => {
  const deep = `${'['.repeat(100_000)}1.0${']'.repeat(100_000)}`
  assert.ok(Array.isArray(readJson(deep)))
})

test('two texts are the same number to the last digit', () => {
  const same: [string, string][] = [
    ['1', '1.0'],
    ['1.50', '15e-1'],
    ['0', '-0.0'],
    ['1e2', '100'],
    ['0.010', '1e-2'],
  ]
  const other: [string, string][] = [
    ['1', '-1'],
    ['1e2', '1e3'],
    ['9007199254740993', '9007199254740992'],
    ['0.1', '0.10000000000000000001'],
  ]
  assert.deepEqual(
    same.map(([a, b]) => sameNumber(a, b)),
    same.map(() => true),
  )
  assert.deepEqual(
    other.map(([a, b]) => sameNumber(a, b)),
    other.map(() => false),
  )
})

test('reading costs time linear in the text', async () => {
  const texts: ((n: number) => string)[] = [
    (n) => `"${'\\\\'.repeat(n / 2)}"`,
    (n) => `"${'\\"'.repeat(n / 2)}`,
    (n) => `[${'1.0,'.repeat(n / 4)}1]`,
    (n) => `[${'"a",'.repeat(n / 4)}1.0]`,
    (n) => '"'.repeat(n),
    (n) => '1'.repeat(n),
    (n) => '[1e'.repeat(n / 3),
    (n) => `{${Array.from({ length: n / 8 }, () => '"a":1.0').join()}}`,
  ]
  for (const text of texts) {
    const [one, four] = [await costOf(text(50_000)), await costOf(text(200_000))]
    // Squares of 200,000 would be many seconds.
    assert.ok(four < 500 + 8 * one, `${text(8)}: ${one}, ${four} ms`)
  }
})

function costOf(text: string): Promise<number> {
  return leastCpuMs(() => {
    try {
      readJson(text)
    } catch {}
    compactJson(text)
  })
}
