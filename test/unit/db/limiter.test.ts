import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runningMs } from '../../../src/kernel/base/running-clock.ts'
import { type Queryable, StoreUnavailable, sql } from '../../../src/kernel/db/client.ts'
import { createLimiter, type LimiterOptions } from '../../../src/kernel/db/limiter.ts'
import { until } from '../../helpers/until.ts'

const STATEMENT = sql('test.limiter', '')

function setup(options?: LimiterOptions) {
  const open = new Map<number, { about: unknown; end(error?: Error): void }>()
  let count = 0
  const db: Queryable = {
    query: (_, values = []) =>
      new Promise((resolve, reject) => {
        const id = count++
        const end = (error?: Error) => {
          open.delete(id)
          if (error) reject(error)
          else resolve([id] as never[])
        }
        open.set(id, { about: (values as unknown[])[0], end })
      }),
  }
  const limiter = createLimiter(db, options)
  return {
    call(about: unknown) {
      const call = limiter.query<number>(STATEMENT, [about])
      call.catch(() => {})
      return call
    },
    underWay: () => [...open.values()].map(({ about }) => about),
    async end(about: unknown, error?: Error) {
      const call = [...open.values()].find((one) => one.about === about)
      call!.end(error)
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

describe('statements that may wait for a row', () => {
  it('are few at once, and of those about one thing only one', async () => {
    const { call, underWay, end } = setup()
    const calls = ['a', 'a', 'a', 'b', 'c'].map(call)
    assert.deepEqual(underWay(), ['a', 'b'])
    await end('b')
    assert.deepEqual(underWay(), ['a', 'c'], 'those behind "a" do not hold up "c"')
    await end('c')
    assert.deepEqual(underWay(), ['a'])
    await end('a', new Error('x'))
    assert.deepEqual(underWay(), ['a'])
    await end('a')
    await end('a')
    const outcomes = await Promise.allSettled(calls)
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled'],
    )
  })

  it('are refused when too many wait, or for too long', async () => {
    const { call, end } = setup({ atOnce: 1, maxQueue: 1, maxWaitMs: 5 })
    const [first, second] = [call('a'), call('b')]
    await assert.rejects(call('c'), StoreUnavailable)
    // Time in which the process was stopped does not count.
    const since = runningMs()
    await until(() => runningMs() - since > 5)
    await end('a')
    await first
    await assert.rejects(second, StoreUnavailable)
  })
})
