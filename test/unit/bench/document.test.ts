import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { readResults, withResults } from '../../../bench/document.ts'

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

  it('cannot lose its place for results unnoticed', () => {
    assert.throws(() => withResults('# Performance\n', {}), /docs\/performance\.md lacks the lines/)
  })
})
