import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compileSchema } from '../../src/identities/schema/compile.ts'
import type { Json, JsonObject } from '../../src/identities/types.ts'
import { leastCpuMs } from '../helpers/cost.ts'
import { traitsSchema } from '../unit/identities/schema-config.ts'

/** Patterns as people write them, each with a text that makes a backtracking engine try all ways before it fails. */
const HOSTILE: [pattern: string, text: (n: number) => string][] = [
  ['^([a-zA-Z0-9]+[._-]?)+$', (n) => `${'a'.repeat(n)}!`],
  ['(a*)*b$', (n) => `b${'a'.repeat(n)}`],
  ['(a|a)*$', (n) => `${'a'.repeat(n)}!`],
  ['^(a|a)*$', (n) => `${'a'.repeat(n)}!`],
  ['(.*a){20}', (n) => `${'a'.repeat(19)}${'b'.repeat(n)}`],
  ['^(.*a){20}$', (n) => 'ab'.repeat(n / 2)],
  ['^(a+)+$', (n) => `${'a'.repeat(n)}!`],
  ['(x+x+)+y$', (n) => `y${'x'.repeat(n)}`],
  ['^(.*?,){11}P', (n) => `P${','.repeat(n)}`],
  ['^(\\w+\\s?)*$', (n) => `${'word '.repeat(n / 5)}!`],
  ["^[a-zA-Z]+(([',. -][a-zA-Z ])?[a-zA-Z]*)*$", (n) => `${'a'.repeat(n)}!`],
  ['^(([a-z])+.)+[A-Z]([a-z])+$', (n) => `A${'a'.repeat(n)}`],
  ['^\\d+1337\\d+$', (n) => `${'1337'.repeat(n / 4)}x`],
  ['^(https?:\\/\\/)?([\\da-z\\.-]+)\\.([a-z\\.]{2,6})([\\/\\w \\.-]*)*\\/?$', (n) => `a.bc${'/x'.repeat(n / 2)}!`],
  [
    '^(([^<>()[\\]\\\\.,;:\\s@"]+(\\.[^<>()[\\]\\\\.,;:\\s@"]+)*)|(".+"))@(([^<>()[\\]\\\\.,;:\\s@"]+\\.)+[^<>]{2,})$',
    (n) => 'a.'.repeat(n / 2),
  ],
  ['^\\p{L}+( \\p{L}+)*$', (n) => `${'é '.repeat(n / 2)}!`],
  ['(?i)^(k|K)*s$', (n) => `${'kK'.repeat(n / 2)}!`],
  ['\\s+$', (n) => `${' '.repeat(n)}x`],
  ['^[a-z]{1,1000}$', (n) => 'a'.repeat(n)],
  ['([ab]{1,500}c){2}', (n) => `c${'ab'.repeat(n / 2)}`],
  ['^((a?){30}){30}b', (n) => `b${'a'.repeat(n)}`],
  ['.*.*=.*', (n) => 'x'.repeat(n)],
  ['(\\b\\w+\\b ?)+!$', (n) => `!${'ab '.repeat(n / 3)}`],
]

type Door = [keyword: string, schema: (pattern: string) => JsonObject, value: (text: string) => Json]
const DOORS: Door[] = [
  ['pattern', (pattern) => ({ type: 'string', pattern }), (text) => text],
  ['propertyNames', (pattern) => ({ type: 'object', propertyNames: { pattern } }), (text) => ({ [text]: 1 })],
  [
    'patternProperties',
    (pattern) => ({ type: 'object', patternProperties: { [pattern]: {} } }),
    (text) => ({ [text]: 1 }),
  ],
]

describe('every pattern costs time linear in the text', () => {
  for (const [keyword, schema, value] of DOORS) {
    for (const [pattern, text] of HOSTILE) {
      test(`${keyword} ${pattern}`, async () => {
        const document = traitsSchema({ x: schema(pattern) }) as JsonObject
        const rules = await compileSchema({ id: 'x', url: 'x', selectable: false, document }, async () => ({}))
        const cost = (n: number) => {
          const traits = { x: value(text(n)) }
          return leastCpuMs(() => rules.validate(traits))
        }
        const [one, two, four] = [await cost(16_000), await cost(32_000), await cost(64_000)]
        // Far above noise and far below squares: 64,000 of them squared are seconds.
        assert.ok(four < 500 + 8 * Math.max(one, two / 2), `${one}, ${two}, ${four} ms`)
        assert.ok(four < 2000, `${four} ms`)
      })
    }
  }
})
