import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLoop, type LoopOptions } from '../../../src/kernel/background/loop.ts'
import { until } from '../../helpers/until.ts'

/** A loop whose runs end when the test says so. */
function loopOf(options: Partial<LoopOptions> = {}) {
  const warnings: string[] = []
  const ends: { ok(): void; fail(): void }[] = []
  const counts = { atOnce: 0, most: 0, runs: 0 }
  const loop = createLoop({
    name: 'the work',
    pauseMs: () => undefined,
    atOnce: true,
    log: { warn: (_details, message) => void warnings.push(message) },
    run: () =>
      new Promise<void>((resolve, reject) => {
        counts.runs += 1
        counts.atOnce += 1
        counts.most = Math.max(counts.most, counts.atOnce)
        const end = (how: () => void) => () => {
          counts.atOnce -= 1
          how()
        }
        ends.push({ ok: end(resolve), fail: end(() => reject(new Error('away'))) })
      }),
    ...options,
  })
  const run = async (n: number) => {
    await until(() => ends.length >= n)
    return ends[n - 1]!
  }
  return { loop, warnings, counts, run }
}

describe('a loop', () => {
  test('runs one at a time: woken during a run, however often, it runs once more', async () => {
    const { loop, counts, run } = loopOf()
    loop.start()
    const first = await run(1)
    for (let i = 0; i < 5; i++) loop.wake()
    first.ok()
    ;(await run(2)).ok()
    await loop.stop()
    assert.deepEqual(counts, { atOnce: 0, most: 1, runs: 2 })
  })

  test('goes on after a failure, which is told once for an outage', async () => {
    const { loop, warnings, run } = loopOf({ pauseMs: 0, failedPauseMs: 0 })
    loop.start()
    for (const n of [1, 2, 3]) (await run(n)).fail()
    ;(await run(4)).ok()
    assert.deepEqual(warnings, ['the work failed; it is tried until it works'])
    ;(await run(5)).fail()
    const last = await run(6)
    assert.equal(warnings.length, 2)
    const stopped = loop.stop()
    last.ok()
    await stopped
  })

  test('stops when the run that is under way has ended, runs nothing after that, and can start again', async () => {
    const { loop, counts, run } = loopOf({ pauseMs: 0 })
    loop.start()
    const first = await run(1)
    loop.wake()
    let stopped = false
    const stopping = loop.stop().then(() => {
      stopped = true
    })
    await new Promise(setImmediate)
    assert.equal(stopped, false)
    first.ok()
    await stopping
    loop.wake()
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(counts.runs, 1)
    loop.start()
    const second = await run(2)
    const again = loop.stop()
    second.ok()
    await again
  })

  test('a pause that is longer than a timer can be does not end at once', async () => {
    const { loop, counts, run } = loopOf({ pauseMs: 2 ** 40 })
    loop.start()
    ;(await run(1)).ok()
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(counts.runs, 1)
    await loop.stop()
  })
})
