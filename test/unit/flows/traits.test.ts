import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { submittedTraits, traitValues } from '../../../src/flows/traits.ts'
import type { SubmittedForm } from '../../../src/flows/types.ts'
import { compileSchema } from '../../../src/identities/schema/compile.ts'
import type { JsonObject } from '../../../src/identities/types.ts'
import fc from '../../helpers/fast-check.ts'

const document: JsonObject = {
  type: 'object',
  definitions: { place: { type: 'object', properties: { city: { type: 'string' } } } },
  properties: {
    traits: {
      type: 'object',
      required: ['terms'],
      properties: {
        email: { type: 'string' },
        age: { type: 'integer' },
        terms: { type: 'boolean' },
        numbers: { type: 'array', items: { type: 'string' } },
        home: { $ref: '#/definitions/place' },
        name: { type: 'object', properties: { first: { type: 'string' } } },
      },
    },
  },
}
const schema = await compileSchema({ id: 'test', url: 'test:', selectable: true, document }, async () => ({}))
const json = (values: JsonObject): SubmittedForm => ({ kind: 'json', values, limits: LIMITS })
const form = (values: Record<string, string[]>): SubmittedForm => ({ kind: 'form', values, limits: LIMITS })
const LIMITS = { values: 100, depth: 10 }
const EMPTY = { home: {}, name: {} }

describe('what the traits of a schema are', () => {
  const compiled = (traits: JsonObject, more: JsonObject = {}) =>
    compileSchema(
      { id: 'test', url: 'test:', selectable: true, document: { type: 'object', properties: { traits }, ...more } },
      async () => ({ type: 'object', properties: { inner: { type: 'object' } } }),
    )
  const object = (properties: JsonObject): JsonObject => ({ type: 'object', properties })

  test('objects, outer ones first, and lists', async () => {
    const { objects, lists } = await compiled(object({ a: object({ b: object({}), c: { type: 'array' } }) }))
    assert.deepEqual([objects, [...lists]], [['traits.a', 'traits.a.b'], ['traits.a.c']])
  })
  test('one that contains itself ends there', async () => {
    const definitions = { person: object({ name: { type: 'string' }, child: { $ref: '#/definitions/person' } }) }
    const { objects } = await compiled(object({ head: { $ref: '#/definitions/person' } }), { definitions })
    assert.deepEqual(objects, ['traits.head'])
  })
  test('in all parts of a combination, and in another document', async () => {
    const { objects } = await compiled({
      allOf: [object({ a: object({}) }), object({ b: { $ref: 'https://x.test/' } })],
    })
    assert.deepEqual(objects, ['traits.a', 'traits.b', 'traits.b.inner'])
  })
  test('not what stands in a condition', async () => {
    const { objects } = await compiled({
      type: 'object',
      if: object({ a: object({}) }),
      else: object({ b: object({}) }),
    })
    assert.deepEqual(objects, [])
  })
})

describe('traits of a submitted form', () => {
  const cases: [string, SubmittedForm, unknown][] = [
    ['nothing', json({}), EMPTY],
    ['null counts as nothing', json({ traits: null }), EMPTY],
    ['JSON keeps its types', json({ traits: { age: '7', terms: 1 } }), { ...EMPTY, age: '7', terms: 1 }],
    ['JSON keeps a null inside', json({ traits: { name: null } }), { home: {}, name: null }],
    [
      'dotted members beside JSON traits',
      json({ traits: { age: 1 }, 'traits.name.first': 'A' }),
      { age: 1, home: {}, name: { first: 'A' } },
    ],
    ['JSON in a text', json({ traits: '{"age":3}' }), { ...EMPTY, age: 3 }],
    ['JSON in a field', form({ traits: ['{"age":3}'], 'traits.age': ['4'] }), { ...EMPTY, age: 4 }],
    ['through a reference', form({ 'traits.home.city': ['Ulm'] }), { home: { city: 'Ulm' }, name: {} }],
    ['fields that the schema does not know', form({ 'traits.role': ['admin'], 'traits.__proto__.x': ['1'] }), EMPTY],
    [
      'empty fields are absent, an empty required checkbox is not',
      form({ 'traits.email': [''], 'traits.age': [''], 'traits.terms': [''] }),
      { ...EMPTY, terms: false },
    ],
    ['the last value of a checkbox', form({ 'traits.terms': ['false', 'true'] }), { ...EMPTY, terms: true }],
    ['all values of a list', form({ 'traits.numbers': ['1', 'b'] }), { ...EMPTY, numbers: ['1', 'b'] }],
    [
      'no number, no boolean',
      form({ 'traits.age': ['0x10'], 'traits.terms': ['on'] }),
      { ...EMPTY, age: '0x10', terms: 'on' },
    ],
    ['numbers', form({ 'traits.age': ['-1.5e3'] }), { ...EMPTY, age: -1500 }],
    [
      'a value in the way of an object',
      json({ traits: { name: 'x' }, 'traits.name.first': 'A' }),
      { home: {}, name: 'x' },
    ],
  ]
  for (const [what, submitted, expected] of cases) {
    test(what, () => assert.deepEqual(submittedTraits(submitted, schema), expected))
  }

  test('whatever is sent, no prototype changes and what comes out can be stored', () => {
    const key = fc.oneof(
      fc.string(),
      fc.constantFrom('traits', 'traits.__proto__.x', 'traits.name.__proto__', '__proto__'),
    )
    fc.assert(
      fc.property(fc.dictionary(key, fc.array(fc.string(), { minLength: 1 })), (values) => {
        const traits = submittedTraits(form(values), schema)
        assert.equal(({} as { x?: unknown }).x, undefined)
        assert.deepEqual(JSON.parse(JSON.stringify(traits)), traits)
      }),
    )
  })

  test('inputs show scalars only', () => {
    const traits = { email: 'a', age: 0, terms: false, numbers: ['1'], name: { first: null } }
    assert.deepEqual(
      [...traitValues(traits, schema.inputs)],
      [
        ['traits.email', 'a'],
        ['traits.age', 0],
        ['traits.terms', false],
      ],
    )
    assert.deepEqual([...traitValues('text', schema.inputs)], [])
  })
})
