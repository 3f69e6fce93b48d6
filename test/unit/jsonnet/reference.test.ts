import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { evaluate, JsonnetError } from '../../../src/kernel/jsonnet/index.ts'

interface Recorded {
  extVars: Record<string, string>
  extCodes: Record<string, string>
  cases: { source: string; output?: string; error?: 'static' | 'runtime' }[]
}

const read = (name: string): Recorded =>
  JSON.parse(readFileSync(new URL(`../../fixtures/jsonnet/${name}.json`, import.meta.url), 'utf8'))

/** What a program ends with, as the reference's answers were recorded. */
function outcome(source: string, { extVars, extCodes }: Recorded) {
  try {
    return { source, output: evaluate(source, { file: 'program', extVars, extCodes }) }
  } catch (error) {
    assert(error instanceof JsonnetError, `${source}: ${(error as Error).stack}`)
    return { source, error: error.kind === 'budget' ? 'runtime' : error.kind }
  }
}

describe('programs end as with the reference, to the byte', () => {
  for (const [name, least] of [
    ['language', 450],
    ['library', 3900],
    ['random', 1250],
  ] as const)
    it(name, () => {
      const recorded = read(name)
      assert(recorded.cases.length > least)
      const got = recorded.cases.map(({ source }) => outcome(source, recorded))
      assert.deepEqual(
        got.filter((one, index) => JSON.stringify(one) !== JSON.stringify(recorded.cases[index])),
        [],
      )
    })
})
