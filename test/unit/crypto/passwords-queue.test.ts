import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { boundedQueue } from '../../../src/kernel/crypto/passwords/queue.ts'
import { HashingBusy } from '../../../src/kernel/crypto/passwords/types.ts'

describe('boundedQueue', () => {
  it('keeps both bounds and the order, whatever fails', async () => {
    const fails = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.nat(4), fails, async (concurrency, queue, jobs) => {
        const run = boundedQueue({ concurrency, queue })
        const started: number[] = []
        let [running, most] = [0, 0]
        const results = await Promise.allSettled(
          jobs.map((fail, index) =>
            run(async () => {
              started.push(index)
              most = Math.max(most, ++running)
              await new Promise((done) => setImmediate(done))
              running--
              if (fail) throw new Error('job')
            }),
          ),
        )
        const accepted = Math.min(jobs.length, concurrency + queue)
        assert.deepEqual(
          started,
          Array.from({ length: accepted }, (_, i) => i),
        )
        assert.ok(most <= concurrency)
        for (const [i, result] of results.entries()) {
          const busy = result.status === 'rejected' && result.reason instanceof HashingBusy
          assert.equal(busy, i >= accepted)
        }
        assert.equal(await run(async () => 'free again'), 'free again')
      }),
      { numRuns: 50 },
    )
  })
})
