import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

const MB = 1024 * 1024

/** In a process of its own, since the bounds are those of a process. Prints the most the young generation had by then. */
const PROGRAM = `
import { setImmediate as turn } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { raiseHeapLimit, limitHeap } from ${JSON.stringify(new URL('../../../src/ops/heap.ts', import.meta.url).href)}
const young = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size
async function load() {
  let most = 0
  const kept = []
  for (let i = 0; i < 1500; i++) {
    kept[i % 60] = Array.from({ length: 1000 }, () => ({ i }))
    most = Math.max(most, young())
    await turn()
  }
  return most
}
const unbounded = process.argv[1] === 'unbounded'
if (!unbounded) limitHeap()
const atStart = await load()
raiseHeapLimit()
console.log(JSON.stringify({ atStart, underLoad: await load() }))
`

function youngOf(mode: string): { atStart: number; underLoad: number } {
  const args = ['--import', 'tsx', '--input-type=module', '-e', PROGRAM, mode]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.equal(stderr, '', 'V8 no longer knows a flag')
  return JSON.parse(stdout)
}

test('the young generation has a bound until the ports are open, and another one afterwards', () => {
  const bounded = youngOf('bounded')
  assert.ok(bounded.atStart <= 8 * MB, `${bounded.atStart}`)
  assert.ok(bounded.underLoad > 8 * MB && bounded.underLoad <= 16 * MB, `${bounded.underLoad}`)
  assert.ok(youngOf('unbounded').atStart > 16 * MB, 'nothing was to be bounded')
})
