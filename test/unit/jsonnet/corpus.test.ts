import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { evaluate, JsonnetError } from '../../../src/kernel/jsonnet/index.ts'

/** Mappers of providers and what Kratos's evaluator made of them. */
interface Case {
  mapper: string
  claims: string
  output?: unknown
  error?: 'static' | 'runtime'
}

const folder = new URL('../../fixtures/jsonnet/corpus/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8')
const { claims, cases } = JSON.parse(read('cases.json')) as { claims: Record<string, unknown>; cases: Case[] }

describe('mappers of providers', () => {
  for (const { mapper, claims: name, output, error } of cases)
    it(`${mapper} with claims "${name}"`, () => {
      const run = () => evaluate(read(mapper), { file: mapper, extCodes: { claims: JSON.stringify(claims[name]) } })
      if (!error) return assert.deepEqual(JSON.parse(run()), output)
      assert.throws(run, (thrown) => {
        assert(thrown instanceof JsonnetError)
        // too much depth is a limit here, and a failure like others there
        return thrown.kind === error || (thrown.kind === 'budget' && error === 'runtime')
      })
    })
})
