import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { createSchemas } from '../../../src/features/identities/schemas.ts'
import type { JsonObject } from '../../../src/features/identities/types.ts'
import { schemaConfig } from './schema-config.ts'

interface Message {
  id: number
}
interface Recorded {
  schemas: Record<string, JsonObject>
  inputs: { rich: Record<string, unknown>[] }
  forms: { scenario: string; schema: string; traits: JsonObject; messages: { path: string; messages: Message[] }[] }[]
  reasons: { scenario: string; traits: JsonObject; reason: string }[]
}
const file = new URL('../../fixtures/identity-schemas.json', import.meta.url)
const recorded = JSON.parse(readFileSync(file, 'utf8')) as Recorded
const schemas = await createSchemas(schemaConfig(recorded.schemas), '/')

describe('identity schemas as recorded', () => {
  for (const { scenario, schema, traits, messages } of recorded.forms) {
    it(`form messages of ${scenario}`, () => {
      const found = schemas.get(schema)!.validate(withoutWords(traits))
      const expected = messages.flatMap(({ path, messages }) => messages.map((message) => ({ path, message })))
      assert.deepEqual(
        found.map(({ path, message }) => ({ path, message })),
        expected,
      )
    })
  }

  for (const { scenario, traits, reason } of recorded.reasons) {
    it(`error text of ${scenario}`, () => {
      const result = schemas.default.derive(withoutWords(traits))
      assert.equal(result.kind === 'failure' && result.reason, reason)
    })
  }

  it('inputs of a rich schema, in order', () => {
    const found = schemas.get('rich')!.inputs.map(({ name, type, required, autocomplete, pattern, title }) => ({
      ...{ name, type, required: required || undefined, autocomplete, pattern, label: title },
    }))
    const expected = recorded.inputs.rich.map(({ name, type, required, autocomplete, pattern, label }) => ({
      ...{ name, type, required, autocomplete, pattern, label },
    }))
    assert.deepEqual(found, expected)
  })

  it('the label of the login identifier is the title of the one trait that names a person', () => {
    assert.deepEqual(schemas.default.identifierLabel, { title: 'E-Mail', name: 'traits.email' })
    assert.deepEqual(schemas.get('rich')!.identifierLabel, { title: 'Username', name: 'traits.username' })
  })
})

/** The recordings hold words that are made anew for each run. */
function withoutWords(traits: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(traits).replaceAll('{{rand}}', 'x1')) as JsonObject
}
