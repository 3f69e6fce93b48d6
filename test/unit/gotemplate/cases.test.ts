import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { render } from '../../../src/courier/gotemplate/index.ts'

interface Case {
  name: string
  file?: string
  source: string
  templates?: Record<string, string>
  struct?: string
  data: unknown
  html: boolean
  hostile?: boolean
  orError?: boolean
  output?: string
  error?: { kind: 'parse' | 'exec' | 'limit'; line?: number }
}

const cases: Case[] = JSON.parse(readFileSync('test/fixtures/gotemplate/cases.json', 'utf8'))

describe("message templates give what Go's own packages give", () => {
  for (const one of cases) it(one.name, () => play(one))
})

function play(one: Case): void {
  const { file = 'mail.gotmpl', source, templates, struct, data, html, error } = one
  const before = process.cpuUsage()
  const given = structuredClone(data)
  let answer: { output: string } | { error: Error }
  try {
    answer = {
      output: render(source, given, { html, name: file, ...(templates && { templates }), ...(struct && { struct }) }),
    }
  } catch (thrown) {
    answer = { error: thrown as Error }
  }
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 2_000_000, 'ends within 2 s of CPU time')
  assert.deepEqual(given, data, 'leaves the data as they were')
  if ('output' in answer) {
    if (error) assert.fail(`expected an error, got ${JSON.stringify(answer.output)}`)
    assert.equal(answer.output, one.output)
    return
  }
  const thrown = answer.error as Error & { line?: number; kind?: string }
  assert.equal(thrown.constructor.name.endsWith('Error'), true)
  assert.ok(
    ![TypeError, RangeError, ReferenceError, SyntaxError].some((fault) => thrown instanceof fault),
    thrown.stack,
  )
  if (one.orError) return
  if (!error) throw thrown
  if (error.kind !== 'limit' && thrown.kind !== undefined) assert.equal(thrown.kind, error.kind)
  if (error.line !== undefined) assert.equal(thrown.line, error.line, thrown.message)
}
