import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createSchemas } from '../../../src/identities/schema/schemas.ts'
import type { Json, JsonObject } from '../../../src/identities/types.ts'
import { schemaConfig, traitsSchema } from './schema-config.ts'

const schemaOf = async (a: unknown) => (await createSchemas(schemaConfig({ x: traitsSchema({ a }) }), '/')).default

/** Rule, value that breaks it, id and text and context of the message at the field. */
const RULES: [rule: JsonObject, value: Json, id: number, text: string, context: JsonObject][] = [
  [{ maximum: 3 }, 4, 4000020, 'must be <= 3 but found 4', { maximum: 3, actual: 4 }],
  [{ exclusiveMaximum: 3 }, 3, 4000021, 'must be < 3 but found 3', { maximum: 3, actual: 3 }],
  [
    { minimum: 2_000_000 },
    1_500_000,
    4000018,
    'must be >= 2e+06 but found 1.5e+06',
    { minimum: 2_000_000, actual: 1_500_000 },
  ],
  [{ multipleOf: 0.1 }, 0.25, 4000022, '0.25 not multipleOf 0.1', { base: 0.1, actual: 0.25 }],
  [{ maxItems: 1 }, [1, 2], 4000023, 'maximum 1 items allowed, but found 2 items', { max_items: 1, actual_items: 2 }],
  [{ minItems: 1 }, [], 4000024, 'minimum 1 items allowed, but found 0 items', { min_items: 1, actual_items: 0 }],
  [{ const: true }, false, 4000029, 'must be equal to constant true', { expected: 'true' }],
  [{ const: 'x' }, 'y', 4000029, 'must be equal to constant "x"', { expected: '"x"' }],
  [{ const: { a: 1 } }, {}, 4000030, 'const failed', {}],
  [{ format: 'tel' }, '123', 4000041, 'Enter a valid phone number', { value: '123' }],
  [{ minLength: 2 }, '😀', 4000003, 'length must be >= 2, but got 1', { min_length: 2, actual_length: 1 }],
  [
    { type: ['string', 'null'] },
    1,
    4000026,
    'expected string or null, but got number',
    { allowed_types: ['string', 'null'], actual_type: 'number' },
  ],
  generic({ enum: [1, null] }, 'x', 'value must be one of "1", <nil>'),
  generic({ enum: ['a'] }, 'b', 'value must be "a"'),
  generic({ enum: [{}] }, 'b', 'enum failed'),
  generic({ format: 'uri' }, 'no uri', '"no uri" is not valid "uri"'),
  generic({ not: {} }, 1, 'not failed'),
  generic({ maxProperties: 1 }, { a: 1, b: 2 }, 'maximum 1 properties allowed, but found 2 properties'),
  generic({ minProperties: 1 }, {}, 'minimum 1 properties allowed, but found 0 properties'),
  generic({ dependencies: { a: ['b'] } }, { a: 1 }, 'property "b" is required, if "a" property exists'),
  generic({ items: [{}], additionalItems: false }, [1, 2], 'only 1 items are allowed, but found 2 items'),
  generic({ contains: { const: 1 } }, [], 'contains failed'),
  generic({ oneOf: [{}, {}] }, 1, 'valid against schemas at indexes 0 and 1'),
]

function generic(rule: JsonObject, value: Json, reason: string): (typeof RULES)[number] {
  return [rule, value, 4000001, reason, { reason }]
}

describe('messages at fields', () => {
  for (const [rule, value, id, text, context] of RULES) {
    test(`${JSON.stringify(rule)} broken by ${JSON.stringify(value)}`, async () => {
      const found = (await schemaOf(rule)).validate({ a: value })
      assert.deepEqual(
        found.map(({ message }) => message),
        [{ id, text, type: 'error', context }],
      )
    })
  }

  test('rules inside of rules are told by those at the end', async () => {
    const schema = await schemaOf({ anyOf: [{ type: 'integer' }, { type: 'string', maxLength: 1 }] })
    const [first, second] = schema.validate({ a: 'ab' })
    assert.deepEqual([first!.message.id, second!.message.id], [4000026, 4000017])
    const result = schema.derive({ a: 'ab' })
    const at = 'I[#/traits/a] S[#/properties/traits/properties/a'
    assert.deepEqual(result.kind === 'failure' && result.reason.split('\n'), [
      `${at}/anyOf] anyOf failed`,
      `  ${at}/anyOf/0/type] expected integer, but got string`,
      `  ${at}/anyOf/1/maxLength] length must be <= 1, but got 2`,
    ])
  })

  test('names with odd characters stay apart', async () => {
    const document = traitsSchema({ 'a.b': { type: 'string' }, 'c/d~e f': { type: 'string' } }, { required: ['é"x'] })
    const schema = (await createSchemas(schemaConfig({ x: document }), '/')).default
    const found = schema.validate({ 'a.b': 1, 'c/d~e f': 1 })
    assert.deepEqual(
      found.map(({ path }) => path),
      ['traits.é"x', 'traits.a\\.b', 'traits.c/d~e f'],
    )
    assert.match(found[2]!.reason, /^I\[#\/traits\/c~1d~0e%20f\] /)
    assert.match(found[0]!.reason, /missing properties: "é\\"x"$/)
  })
})

describe('what traits are used for', () => {
  const mark = (marks: unknown, more: object = {}) => ({ type: 'string', ...more, 'ory.sh/kratos': marks })

  test('identifiers of every kind, and addresses, each once', async () => {
    const document = traitsSchema({
      email: mark({
        credentials: { password: { identifier: true }, code: { identifier: true, via: 'email' } },
        recovery: { via: 'email' },
      }),
      phone: mark(
        {
          credentials: { code: { identifier: true, via: 'sms' } },
          verification: { via: 'sms' },
          recovery: { via: 'sms' },
        },
        { format: 'tel' },
      ),
      names: { type: 'array', items: mark({ credentials: { password: { identifier: true } } }) },
    })
    const schema = (await createSchemas(schemaConfig({ x: document }), '/')).default
    const traits = { email: 'A@example.org', phone: '+49 (170) 123-4567', names: [' Ann ', 'ANN', ''] }
    assert.deepEqual(schema.derive(traits), {
      kind: 'derived',
      identifiers: new Map([
        ['password', ['a@example.org', 'ann']],
        ['code', ['a@example.org', '+491701234567']],
      ]),
      names: new Map(),
      codeAddresses: [
        { via: 'email', value: 'a@example.org' },
        { via: 'sms', value: '+491701234567' },
      ],
      verifiable: [{ via: 'sms', value: '+491701234567' }],
      recovery: [
        { via: 'email', value: 'a@example.org' },
        { via: 'sms', value: '+491701234567' },
      ],
    })
  })

  test('an address that is none is refused, also without a format', async () => {
    const schema = await schemaOf(mark({ verification: { via: 'email' } }))
    assert.deepEqual(schema.validate({ a: 'nomail' }), [])
    const result = schema.derive({ a: 'nomail' })
    assert.equal(
      result.kind === 'failure' && result.reason,
      'I[#/traits/a] S[#/properties/traits/properties/a/format] "nomail" is not valid "email"',
    )
    assert.deepEqual(result.kind === 'failure' && result.violations[0]!.message.id, 4000040)
  })

  test('no-validate leaves the judgement to the rest of the schema', async () => {
    const schema = await schemaOf(mark({ verification: { via: 'email' } }, { format: 'no-validate' }))
    const result = schema.derive({ a: ' Not A Mail ' })
    assert.deepEqual(result.kind === 'derived' && result.verifiable, [{ via: 'email', value: 'Not A Mail' }])
  })
})
