import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { compilePattern } from '../../../src/identities/schema/patterns.ts'
import { createSchemas, type SchemaConfig } from '../../../src/identities/schema/schemas.ts'
import { CLIENTS, schemaConfig, traitsSchema } from './schema-config.ts'

/** What Go's `regexp` says of each pattern and input: one digit an input, null for a pattern that it refuses. */
const go: { inputs: string[]; patterns: { pattern: string; matches: string | null }[] } = JSON.parse(
  readFileSync(new URL('../../fixtures/patterns.json', import.meta.url), 'utf8'),
)

describe('patterns mean what they mean in Go', () => {
  for (const { pattern, matches } of go.patterns) {
    test(JSON.stringify(pattern), () => {
      if (matches === null) return assert.throws(() => compilePattern(pattern), SyntaxError)
      const compiled = compilePattern(pattern)
      const wrong = go.inputs.filter((input, i) => compiled.test(input) !== (matches[i] === '1'))
      return assert.deepEqual(wrong, [])
    })
  }
})

const LOOK_AHEAD = '^(?=.*\\d).+$'
const strong = traitsSchema({
  name: { type: 'string' },
  word: { type: 'object', patternProperties: { '^x': { items: [{ type: 'string', pattern: LOOK_AHEAD }] } } },
})

/** The configuration of one schema in a file, written over several lines. */
function inFile(t: TestContext, document: unknown, accepted: string[] = []): [SchemaConfig, string] {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-patterns-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'person.json'), JSON.stringify(document, null, 2))
  const schemas = [{ id: 'person', url: 'file://./person.json' }]
  const lethe = { identity: { backtracking_patterns: accepted } }
  return [{ identity: { default_schema_id: 'person', schemas }, clients: CLIENTS, lethe }, folder]
}

describe('a pattern that cannot run in linear time', () => {
  test('is refused at start with file, line, place, reason and remedy', async (t) => {
    await assert.rejects(createSchemas(...inFile(t, strong)), (error: Error) => {
      assert.equal(
        error.message,
        'identity.schemas[0] (id "person", file://./person.json) line 17, ' +
          '#/properties/traits/properties/word/patternProperties/%5Ex/items/0/pattern: ' +
          'pattern "^(?=.*\\\\d).+$" cannot be read: invalid or unsupported Perl syntax: `(?=`; it cannot run in linear ' +
          'time; write it without look-around and back-references, or accept the risk by naming the schema in ' +
          'lethe.identity.backtracking_patterns',
      )
      return true
    })
  })

  test('is refused too as the name of a rule, and in another document, which is named', async (t) => {
    const [names, cwd] = inFile(t, traitsSchema({ a: { patternProperties: { '(a)\\1': {} } } }))
    await assert.rejects(createSchemas(names, cwd), /line 9, #\/.*\/patternProperties\/\(a\)%5C1: pattern/)
    writeFileSync(join(cwd, 'word.json'), JSON.stringify({ word: { propertyNames: { pattern: LOOK_AHEAD } } }, null, 1))
    const other = schemaConfig({ first: traitsSchema({ a: { $ref: `file://${cwd}/word.json#/word` } }) })
    await assert.rejects(
      createSchemas(other, cwd),
      /\) file:\/\/\/.*word\.json line 4, #\/word\/propertyNames\/pattern: /,
    )
  })

  test('is taken where the operator names the schema, for texts of 8 KiB', async (t) => {
    const schema = (await createSchemas(...inFile(t, strong, ['person']))).default
    const said = (text: string) => schema.validate({ word: { x: [text] } }).map(({ message }) => message.id)
    assert.deepEqual(
      [said('a1'), said('a'), said('1'.repeat(8192)), said('1'.repeat(8193))],
      [[], [4000004], [], [4000004]],
    )
    await assert.rejects(createSchemas(...inFile(t, strong, ['other'])), /cannot run in linear time/)
  })

  test('is refused all the same when no engine can read it', async (t) => {
    const broken = traitsSchema({ a: { type: 'string', pattern: '(' } })
    await assert.rejects(
      createSchemas(...inFile(t, broken, ['person'])),
      /pattern "\(" cannot be read: missing closing \)/,
    )
  })
})
