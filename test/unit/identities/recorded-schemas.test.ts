import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { createSchemas, type SchemaConfig } from '../../../src/identities/schema/schemas.ts'
import type { Json, JsonObject } from '../../../src/identities/types.ts'
import { CLIENTS } from './schema-config.ts'

interface Node {
  attributes: { name: string }
  messages: unknown[]
  meta: { label?: { text: string } }
}
interface Step {
  request: { method: string; json?: { method?: string; traits?: Json } }
  expect: { status: number; body?: { ui?: { nodes?: Node[] }; error?: { reason?: string } } }
}
interface Scenario {
  name: string
  config: string
  steps: Step[]
}

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/wire/${name}.json`, import.meta.url), 'utf8'))
const scenarios = (area: string): Scenario[] => fixture(area).scenarios
const { identity } = fixture('configs')['multi-schema'] as { identity: SchemaConfig['identity'] }
const schemas = await createSchemas({ identity, clients: CLIENTS }, '/')

const isTrait = ({ attributes }: Node) => attributes.name.startsWith('traits')
/** The recordings hold words that are made anew for each run. */
const filled = (traits: Json) => JSON.parse(JSON.stringify(traits).replaceAll('{{rand}}', 'x1')) as JsonObject

/** Submits whose traits broke the schema, with the messages at the fields. */
function* brokenForms() {
  for (const { name, config, steps } of scenarios('registration-native')) {
    for (const { request, expect } of steps) {
      const nodes = (expect.body?.ui?.nodes ?? []).filter((node) => isTrait(node) && node.messages.length > 0)
      if (expect.status !== 400 || !request.json?.method || nodes.length === 0) continue
      yield { name, schema: config === 'rich-schema' ? 'rich' : 'default', traits: request.json.traits ?? {}, nodes }
    }
  }
}

/** Creations and updates by operators that broke the schema, with the text of the error. */
function* brokenBodies() {
  for (const { name, steps } of scenarios('identities-admin')) {
    for (const { request, expect } of steps) {
      const reason = expect.body?.error?.reason
      if (reason?.startsWith('I[') && request.json?.traits) yield { name, traits: request.json.traits, reason }
    }
  }
}

describe('identity schemas as recorded', () => {
  it('has recordings to compare with', () => {
    assert.equal([...brokenForms()].length, 14)
    assert.equal([...brokenBodies()].length, 3)
  })

  for (const { name, schema, traits, nodes } of brokenForms()) {
    it(`form messages of ${name}`, () => {
      const found = schemas.get(schema)!.validate(filled(traits))
      assert.deepEqual(
        found.map(({ path, message }) => ({ path, message })),
        nodes.flatMap((node) => node.messages.map((message) => ({ path: node.attributes.name, message }))),
      )
    })
  }

  for (const { name, traits, reason } of brokenBodies()) {
    it(`error text of ${name}`, () => {
      const result = schemas.default.derive(filled(traits))
      assert.equal(result.kind === 'failure' && result.reason, reason)
    })
  }

  it('inputs of a rich schema, in order', () => {
    const recorded = scenarios('registration-native').find(({ name }) => name === 'case=nodes of a rich schema')!
    const expected = recorded.steps[0]!.expect.body!.ui!.nodes!.filter(isTrait).map(({ attributes, meta }) => {
      const { disabled: _, node_type: __, ...rest } = attributes as Record<string, unknown>
      return { ...rest, ...(meta.label ? { title: meta.label.text } : {}) }
    })
    const found = schemas.get('rich')!.inputs.map(({ required, ...rest }) => ({
      ...rest,
      ...(required ? { required } : {}),
    }))
    assert.deepEqual(found, expected)
  })

  it('the label of the login identifier is the title of the one trait that names a person', () => {
    assert.deepEqual(schemas.default.identifierLabel, { title: 'E-Mail', name: 'traits.email' })
    assert.deepEqual(schemas.get('rich')!.identifierLabel, { title: 'Username', name: 'traits.username' })
  })
})
