import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { compileSchema } from '../../../src/identities/schema/compile.ts'
import { canonical, equal } from '../../../src/identities/schema/node.ts'
import { compareNumbers, isMultiple, isWhole } from '../../../src/identities/schema/numbers.ts'
import { plainNumber } from '../../../src/identities/schema/print.ts'
import type { Json, JsonObject } from '../../../src/identities/types.ts'
import { readJson } from '../../../src/kernel/base/exact-json.ts'
import { isNumber, type JsonNumber } from '../../../src/kernel/base/exact-number.ts'

/** What Go's `big.Int` and `big.Float` say, which judge the numbers of traits in Kratos; -1: a multiple of zero. */
const go: { number: string; integer: boolean; printed: string; compared: number[]; multipleOf: number[] }[] =
  JSON.parse(readFileSync(new URL('../../fixtures/numbers.json', import.meta.url), 'utf8'))
const values = go.map(({ number }) => read(number))

function read(text: string): JsonNumber {
  const value = readJson(text)
  assert.ok(isNumber(value))
  return value
}

describe('numbers are judged as in Go', () => {
  for (const [i, { number, ...expected }] of go.entries()) {
    test(number, () => {
      const value = values[i]!
      assert.equal(isWhole(value), expected.integer)
      assert.deepEqual(
        values.map((other) => Math.sign(compareNumbers(value, other))),
        expected.compared,
      )
      const same = expected.compared.map((order) => order === 0)
      assert.deepEqual([values.map((other) => equal(value, other)), same], [same, same])
      assert.deepEqual(
        values.map((other) => canonical([value]) === canonical([other])),
        same,
      )
      assert.deepEqual(
        values.map((other, j) => (expected.multipleOf[j] === -1 ? -1 : Number(isMultiple(value, other)))),
        expected.multipleOf,
      )
      // Limits beyond 64 bits are printed with the digits that were written.
      const written = number.replace(/[eE].*|\D/g, '').length
      if (written < 19 && !number.startsWith('-0')) assert.equal(plainNumber(value), expected.printed)
    })
  }
})

describe('schemas', () => {
  const failures = async (rule: string, value: string): Promise<string> => {
    const document = readJson(`{"properties":{"traits":{"properties":{"x":${rule}}}}}`) as JsonObject
    const schema = await compileSchema({ id: 'x', url: 'x', selectable: false, document }, async () => ({}))
    const found = schema.derive({ x: readJson(value) as Json })
    return found.kind === 'failure' ? found.reason.replace(/^I\[\S*\] S\[\S*\] /, '') : ''
  }
  const cases: [rule: string, value: string, failure: string][] = [
    ['{"type":"integer"}', '1546130668394913822', ''],
    ['{"type":"integer"}', '1.0', 'expected integer, but got number'],
    ['{"type":"integer"}', '1e2', 'expected integer, but got number'],
    ['{"type":"number"}', '1e400', ''],
    ['{"type":"string"}', '1.0', 'expected string, but got number'],
    ['{"type":"object"}', '1.0', 'expected object, but got number'],
    ['{"maximum":9007199254740992}', '9007199254740993', 'must be <= 9.007199254740992e+15 but found 9007199254740993'],
    ['{"maximum":9007199254740993}', '9007199254740993', ''],
    ['{"minimum":1e400}', '1e399', 'must be >= 1e+400 but found 1e399'],
    ['{"exclusiveMaximum":1.50}', '1.5', 'must be < 1.5 but found 1.5'],
    ['{"multipleOf":0.1}', '0.30', ''],
    ['{"multipleOf":2}', '1546130668394913823', '1546130668394913823 not multipleOf 2'],
    ['{"const":1}', '1.0', ''],
    ['{"const":1.0}', '2', 'value must be "1.0"'],
    ['{"enum":[9007199254740992]}', '9007199254740993', 'value must be "9007199254740992"'],
    ['{"uniqueItems":true}', '[1,2,1.0]', 'items at index 0 and 2 are equal'],
    ['{"uniqueItems":true}', '[9007199254740992,9007199254740993]', ''],
    ['{"minLength":2.0}', '"a"', 'length must be >= 2, but got 1'],
  ]
  for (const [rule, value, failure] of cases) {
    test(`${rule} ${value}`, async () => assert.equal(await failures(rule, value), failure))
  }
})
