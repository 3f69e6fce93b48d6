import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readResults, withResults, writeDocument } from '../../../bench/document.ts'
import type { StartFigures } from '../../../bench/results.ts'

const page = readFileSync(new URL('../../../docs/performance.md', import.meta.url), 'utf8')

describe('docs/performance.md', () => {
  it('shows the results that docs/performance.json holds', () => {
    assert.equal(page, withResults(page, readResults()), 'run `npm run bench -- --write`, or undo the change by hand')
  })

  it('keeps the text around the results', () => {
    const without = withResults(page, {})
    assert.ok(without.length <= page.length)
    assert.equal(withResults(without, readResults()), page)
  })

  it('takes a result in the place of the last one of its kind', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lethe-document-'))
    const file = join(folder, 'docs/performance.md')
    mkdirSync(join(folder, 'docs'))
    writeFileSync(file, withResults(page, {}))
    writeDocument(started(512.3456), folder)
    writeDocument(started(498.7654), folder)
    const written = readFileSync(file, 'utf8')
    assert.match(written, /\| a migrated Postgres \| 499 \(400-600\) \| 80 \| 1000 ms, 90 MB \|/)
    assert.doesNotMatch(written, /512/)
    assert.equal(withResults(written, readResults(folder)), written)
    rmSync(folder, { recursive: true })
  })

  it('cannot lose its place for results unnoticed', () => {
    assert.throws(() => withResults('# Performance\n', {}), /docs\/performance\.md lacks the lines/)
  })
})

function started(median: number): StartFigures {
  const machine = {
    cpu: 'x',
    cores: 2,
    memoryGb: 4,
    node: '20',
    postgres: '18',
    pgbench: '-',
    commit: 'abc',
    date: '-',
  }
  const idleMb = { median: 80, min: 80, max: 80 }
  const figures = [{ database: 'a migrated Postgres' as const, ready: { median, min: 400, max: 600 }, idleMb }]
  return { kind: 'start', machine, workers: 1, rounds: 5, seconds: 3, figures }
}
