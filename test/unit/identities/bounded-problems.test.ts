import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { withProblems } from '../../../src/flows/nodes.ts'
import { applyPatch, PatchError, readPatch } from '../../../src/identities/admin/json-patch.ts'
import { isLongerThan, trimSpace } from '../../../src/identities/normalise.ts'
import { createSchemas } from '../../../src/identities/schema/schemas.ts'
import type { Json, JsonObject } from '../../../src/identities/types.ts'
import { shortened } from '../../../src/kernel/base/text.ts'
import { schemaConfig, traitsSchema } from './schema-config.ts'

const MANY = 20_000
const PROBLEMS = 50
const schemaOf = async (a: unknown) => (await createSchemas(schemaConfig({ x: traitsSchema({ a }) }), '/')).default
const names = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, 1]))

/** Rules that everything in a list or an object can break at once. */
const RULES: [rule: JsonObject, value: Json][] = [
  [{ items: { type: 'string' } }, Array(MANY).fill(1)],
  [{ uniqueItems: true }, Array(MANY).fill('same')],
  [{ contains: { const: 'x' } }, Array(MANY).fill(1)],
  [{ additionalItems: { type: 'string' }, items: [true] }, Array(MANY).fill(1)],
  [{ additionalProperties: { type: 'string' } }, names(MANY)],
  [{ additionalProperties: false }, names(MANY)],
  [{ propertyNames: { maxLength: 1 } }, names(MANY)],
  [{ patternProperties: { '^n': { type: 'string' } } }, names(MANY)],
  [{ items: { oneOf: [{ const: 'a' }, { const: 'b' }] } }, Array(MANY).fill(1)],
  [{ items: { format: 'email' } }, Array(100).fill('x'.repeat(60_000))],
  [{ items: { enum: [{}] } }, Array(100).fill('x'.repeat(60_000))],
  [{ additionalProperties: { additionalProperties: { type: 'string' } } }, { ['é'.repeat(60_000)]: names(MANY) }],
]

describe('what is wrong with traits is told within bounds', () => {
  for (const [rule, value] of RULES) {
    test(JSON.stringify(rule), async () => {
      const schema = await schemaOf(rule)
      const violations = schema.validate({ a: value })
      assert.ok(violations.length > 0 && violations.length <= PROBLEMS, String(violations.length))
      assert.ok(JSON.stringify(violations).length < 1_000_000)
      const derived = schema.derive({ a: value })
      assert.equal(derived.kind, 'failure')
      assert.ok(derived.kind === 'failure' && derived.reason.length < 110_000)
    })
  }

  test('unique items of any number are told apart, by value', async () => {
    const schema = await schemaOf({ uniqueItems: true })
    const items = Array.from({ length: MANY }, (_, i) => ({ a: i, b: [String(i)] }))
    assert.deepEqual(schema.validate({ a: items }), [])
    const [found] = schema.validate({ a: [...items, { b: ['7'], a: 7 }] })
    assert.deepEqual(found?.message.context, { index_a: 7, index_b: MANY })
    assert.deepEqual(schema.validate({ a: [1, '1', true, 'true', null, 'null', [1], ['1']] }), [])
  })

  test('a schema that doubles its work at each level is given up', async () => {
    const twice = { anyOf: [{ $ref: '#/definitions/tree' }, { $ref: '#/definitions/tree' }] }
    const tree = { type: 'object', properties: { next: twice } }
    const document = { ...traitsSchema({ a: { $ref: '#/definitions/tree' } }), definitions: { tree } }
    const schema = (await createSchemas(schemaConfig({ x: document }), '/')).default
    let value: Json = 1
    for (let level = 0; level < 40; level++) value = { next: value }
    assert.throws(() => schema.validate({ a: value }), { status: 400 })
  })

  test('a form keeps the first messages, each at its input', () => {
    const message = { id: 1, text: 'wrong', type: 'error' as const }
    const problems = Array.from({ length: MANY }, (_, i) => ({ path: `traits.a${i % 60}`, message }))
    const { nodes } = withProblems({ action: '', method: 'POST', nodes: [] }, problems)
    assert.equal(nodes.length, PROBLEMS)
    assert.ok(nodes.every(({ messages }) => messages.length === 1))
  })
})

describe('a JSON patch', () => {
  const patch = (path: string) => readPatch([{ op: 'add', path, value: 1 }])

  test('has at most a thousand operations', () => {
    const operations = Array(1001).fill({ op: 'add', path: '/a', value: 1 })
    assert.equal(readPatch(operations.slice(1)).length, 1000)
    assert.throws(() => readPatch(operations), PatchError)
  })

  test('goes no deeper than a body may', () => {
    assert.doesNotThrow(() => applyPatch({}, patch('/a'.repeat(64))))
    assert.throws(() => patch('/a'.repeat(65)), PatchError)
    assert.throws(() => patch('/'.repeat(2_000_000)), PatchError)
  })
})

describe('texts', () => {
  test('are trimmed at both ends only', () => {
    assert.equal(trimSpace(' \u00a0\u3000 a \u2028 b\t\n\u0085'), 'a \u2028 b')
    assert.equal(trimSpace('\ufeffa\ufeff'), '\ufeffa\ufeff')
    assert.equal(trimSpace(' \t '), '')
  })

  test('are measured in characters', () => {
    assert.equal(isLongerThan('😀'.repeat(255), 255), false)
    assert.equal(isLongerThan('😀'.repeat(256), 255), true)
    assert.equal(isLongerThan('a'.repeat(256), 255), true)
  })

  test('are never cut inside a character', () => {
    for (const max of [2, 3, 4, 5]) {
      const cut = shortened('😀😀😀😀', max)
      assert.ok(cut.isWellFormed() && cut.length <= max && cut.endsWith('…'), cut)
    }
    assert.equal(shortened('abc', 3), 'abc')
  })
})
