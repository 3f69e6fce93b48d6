import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { boundedQueue } from '../../../src/kernel/crypto/passwords/queue.ts'
import { createTurns } from '../../../src/kernel/crypto/passwords/turns.ts'
import { HashingBusy } from '../../../src/kernel/crypto/passwords/types.ts'
import fc from '../../helpers/fast-check.ts'

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

  it('is not fooled by jobs that were quick, nor by a machine that was suspended', async () => {
    const take = (ms: number) => () => new Promise<void>((done) => setTimeout(done, ms))
    const refusedWith = async (before: number[], waiting: number) => {
      const run = boundedQueue({ concurrency: 1, queue: 1000, maxWaitMs: 500 })
      for (const ms of before) await run(take(ms))
      const outcomes = await Promise.allSettled(Array.from({ length: waiting }, () => run(take(0))))
      return outcomes.some(({ status }) => status === 'rejected')
    }
    const slow = Array.from({ length: 12 }, () => 50)
    assert.ok(await refusedWith([...slow, 0, 0, 0, 0], 40), 'forty times 30 ms are more than half a second')
    const quick = Array.from({ length: 13 }, () => 1)
    assert.ok(!(await refusedWith([...quick, 700, 700, 700], 10)), 'three that were held up are no rule')
  })

  it('one account, or one network, does not keep the others from their turn', async () => {
    const run = boundedQueue({ concurrency: 1, queue: 64 })
    const order: string[] = []
    const job = (name: string) => async () => void order.push(name)
    const greedy = { identifier: 'greedy', network: '192.0.2.1' }
    const all = [
      ...Array.from({ length: 20 }, () => run(job('greedy'), greedy)),
      // elsewhere, and of the same network
      run(job('a'), { identifier: 'a', network: '192.0.2.9' }),
      run(job('b'), { identifier: 'b', network: '192.0.2.1' }),
      run(job('greedy'), { identifier: 'greedy', network: '192.0.2.7' }),
      ...Array.from({ length: 40 }, (_, i) => run(job('crowd'), { identifier: `crowd${i}`, network: '192.0.2.5' })),
      run(job('c'), { identifier: 'c', network: '192.0.2.8' }),
      ...['d', 'e'].map((name) => run(job(name), { identifier: name, network: '' })),
    ]
    const outcomes = await Promise.allSettled(all)
    const refused = outcomes.filter((o) => o.status === 'rejected' && o.reason instanceof HashingBusy).length
    assert.equal(refused, 20 - 5 + 1 + 40 - 16, 'a sixteenth of the queue for an identifier, a quarter for a network')
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      assert.ok(order.indexOf(name) >= 0 && order.indexOf(name) < 10, `${name}: ${order.join()}`)
  })

  it('takes turns as it foretells, for any queue', async () => {
    const share = fc.record({ identifier: fc.constantFrom('a', 'b', 'c'), network: fc.constantFrom('', 'x', 'y') })
    fc.assert(
      fc.property(fc.array(share, { maxLength: 12 }), share, (others, mine) => {
        const turns = createTurns<string>()
        for (const other of others) turns.add(other, 'other')
        const ahead = turns.ahead(mine)
        turns.add(mine, 'mine')
        assert.equal(turns.size, others.length + 1)
        const order = Array.from({ length: turns.size }, () => turns.next())
        assert.ok(order.indexOf('mine') <= ahead, `${order.join()} where ${ahead} were foretold`)
        assert.equal(turns.next(), undefined)
        assert.deepEqual(turns.of(mine), { identifier: 0, network: 0 })
      }),
    )
  })
})
