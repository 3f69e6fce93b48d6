import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { compileSchema } from '../../src/identities/schema/compile.ts'
import type { Json, JsonObject } from '../../src/identities/types.ts'
import { isNumber } from '../../src/kernel/base/exact-number.ts'
import fc from '../helpers/fast-check.ts'

const NAMES = ['a', 'b', 'isPrototypeOf', '__proto__']
/** The library passes over a rule for `__proto__`. */
const DECLARED = ['a', 'b', 'isPrototypeOf']
const leaf: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, '', 'a', 'ab', 'abc', 'A1'),
  fc.integer({ min: -3, max: 7 }),
  fc.constantFrom(0.5, 1.5, 2.25),
)
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    object(tie('value')) as fc.Arbitrary<Json>,
  ),
}))

/** Objects whose members are their own, also `__proto__`, as `JSON.parse` makes them. */
function object(of: fc.Arbitrary<Json>, names = NAMES): fc.Arbitrary<JsonObject> {
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), of), { selector: ([name]) => name, maxLength: 3 })
    .map((entries) => Object.fromEntries(entries) as JsonObject)
}

const size = fc.integer({ min: 0, max: 3 })
const type = fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', 'array', 'object')
const { schema } = fc.letrec<{ schema: Json }>((tie) => {
  const inner = tie('schema')
  const inners = fc.array(inner, { minLength: 1, maxLength: 2 })
  const keywords = {
    type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })),
    const: leaf,
    enum: fc.uniqueArray(leaf, { minLength: 1, maxLength: 3, selector: (item) => JSON.stringify(item) }),
    ...{ minLength: size, maxLength: size, pattern: fc.constantFrom('^a', 'b$', '[0-9]') },
    ...{ minimum: size, maximum: size, exclusiveMinimum: size, exclusiveMaximum: size },
    multipleOf: fc.constantFrom(0.5, 1, 2),
    ...{ minItems: size, maxItems: size, uniqueItems: fc.boolean(), contains: inner },
    items: fc.oneof(inner, inners),
    additionalItems: inner,
    ...{ minProperties: size, maxProperties: size, propertyNames: inner },
    required: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 2 }),
    properties: object(inner, DECLARED),
    patternProperties: object(inner, ['^a', 'o']),
    additionalProperties: inner,
    dependencies: object(fc.oneof(inner, fc.constantFrom<Json>(['a'], ['b'])), DECLARED),
    ...{ not: inner, allOf: inners, anyOf: inners, oneOf: inners },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schema
    ...{ if: inner, then: inner, else: inner },
    $ref: fc.constantFrom('#/definitions/short', '#/definitions/whole'),
  }
  const chosen = fc.subarray(Object.keys(keywords) as (keyof typeof keywords)[], { minLength: 1, maxLength: 3 })
  const some = chosen.chain((names) =>
    fc.record(Object.fromEntries(names.map((name) => [name, keywords[name]])) as Record<string, fc.Arbitrary<Json>>),
  )
  return { schema: fc.oneof({ maxDepth: 3 }, { weight: 1, arbitrary: fc.boolean() }, { weight: 5, arbitrary: some }) }
})

const DEFINITIONS = { short: { type: 'string', maxLength: 1 }, whole: { type: 'integer' } }

/** The library ignores what stands beside `$ref` only when asked to; draft 07 says it must be ignored. */
function withoutNeighbours(node: Json): Json {
  if (Array.isArray(node)) return node.map(withoutNeighbours)
  if (typeof node !== 'object' || node === null || isNumber(node)) return node
  if (typeof node.$ref === 'string') return { $ref: node.$ref }
  return Object.fromEntries(Object.entries(node).map(([name, inner]) => [name, withoutNeighbours(inner)]))
}

test('a value obeys a schema here exactly when it does for an independent validator', async () => {
  let obeyed = 0
  let broken = 0
  await fc.assert(
    fc.asyncProperty(schema, fc.array(value, { minLength: 1, maxLength: 8 }), async (traits, values) => {
      const document = { type: 'object', properties: { traits }, definitions: DEFINITIONS } as unknown as JsonObject
      const source = { id: 'x', url: 'base64://', selectable: false, document }
      const ours = await compileSchema(source, () => Promise.reject(new Error('nothing to load')))
      const ajv = new Ajv({ strict: false, validateFormats: false, multipleOfPrecision: 10, ownProperties: true })
      const theirs = ajv.compile(withoutNeighbours(document) as JsonObject)
      for (const candidate of values) {
        const fits = theirs({ traits: candidate })
        if (fits) obeyed++
        else broken++
        const found = ours.validate(candidate)
        assert.equal(found.length === 0, fits, `${JSON.stringify(traits)} ${JSON.stringify(candidate)}`)
      }
    }),
    { numRuns: 200 },
  )
  assert.ok(obeyed > 100 && broken > 100, `${obeyed} obeyed, ${broken} broken: the samples say nothing`)
})
