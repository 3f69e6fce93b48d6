import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { createQueue, type Lease, type QueueKind } from '../../../src/kernel/background/queue.ts'
import { systemClock } from '../../../src/kernel/base/clock.ts'
import fc from '../../helpers/fast-check.ts'
import { until } from '../../helpers/until.ts'

interface Sent {
  key: string
  message: number
}

/** Messages in memory; a try ends when the test calls `end`, or at once with `quick`. */
function world(waiting: Record<string, number>, concurrency: number, maxTotal: number, quick = false) {
  const left = new Map(Object.entries(waiting).map(([key, count]) => [key, Array.from({ length: count }, (_, i) => i)]))
  const [sent, ends, errors]: [Sent[], (() => void)[], unknown[]] = [[], [], []]
  const [busy, most]: Record<string, number>[] = [{}, {}]
  const leases = new Set<Lease>()
  const count = (key: string, by: number) => {
    for (const name of [key, 'all']) {
      busy![name] = (busy![name] ?? 0) + by
      most![name] = Math.max(most![name] ?? 0, busy![name]!)
    }
  }
  const kind: QueueKind<string, number> = {
    idOf: (key) => key,
    concurrency: () => concurrency,
    tryMs: () => 1000,
    async claim(key, lease, limit) {
      leases.add(lease)
      return left.get(key)!.splice(0, limit)
    },
    async send(key, message) {
      count(key, 1)
      if (!quick) await new Promise<void>((resolve) => ends.push(resolve))
      count(key, -1)
      return async () => void sent.push({ key, message })
    },
  }
  const queue = createQueue(kind, {
    clock: systemClock(),
    random: randomBytes,
    maxTotal,
    onError: (error) => errors.push(error),
  })
  return { queue, kind, sent, ends, errors, most: most!, left }
}

describe('a queue', () => {
  test('sends each message once, with no more tries at once than a key may have and all together', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 8 }),
        async (counts, concurrency, maxTotal) => {
          const waiting = Object.fromEntries(counts.map((n, i) => [`k${i}`, n]))
          const { queue, sent, most, errors } = world(waiting, concurrency, maxTotal, true)
          const wanted = counts.reduce((a, b) => a + b, 0)
          // woken once each: what one wake starts goes on by itself
          for (const key of Object.keys(waiting)) queue.wake(key)
          await until(() => sent.length >= wanted, `${wanted} messages`)
          await queue.stop()
          assert.equal(new Set(sent.map(({ key, message }) => `${key} ${message}`)).size, wanted)
          assert.equal(sent.length, wanted)
          assert.deepEqual(errors, [])
          assert.ok((most.all ?? 0) <= maxTotal)
          for (const key of Object.keys(waiting)) assert.ok((most[key] ?? 0) <= concurrency)
        },
      ),
      { numRuns: 100 },
    ))

  test('a key that is slow holds up no other, also when every place is wanted', async () => {
    const { queue, sent, ends } = world({ slow: 50, other: 3 }, 2, 3)
    queue.wake('slow')
    queue.wake('other')
    await until(() => ends.length === 3, 'three tries')
    // the one of the other key ends; its next one gets the place, not one more of the slow key
    for (let n = 3; n < 6; n++) {
      ends[n === 3 ? 2 : n - 1]!()
      await until(() => sent.length === n - 2, 'the end of a try')
      if (n < 5) await until(() => ends.length === n + 1, 'the next try')
    }
    assert.deepEqual(new Set(sent.map(({ key }) => key)), new Set(['other']))
    for (const end of ends) end()
    const stopped = queue.stop()
    for (const end of ends) end()
    await stopped
  })

  test('an outcome that cannot be written is written when the database is back', async () => {
    const { queue, kind, sent, errors } = world({ k: 1 }, 1, 1, true)
    const send = kind.send
    let failures = 2
    kind.send = async (...parameters) => {
      const write = await send(...parameters)
      return async () => {
        if (failures-- > 0) throw new Error('away')
        await write()
      }
    }
    queue.wake('k')
    await until(() => sent.length === 1, 'the outcome')
    assert.deepEqual(errors, [])
    await queue.stop()
  })

  test('a stopped queue takes nothing new and waits for what is under way', async () => {
    const { queue, sent, ends, left } = world({ k: 5 }, 2, 10)
    queue.wake('k')
    await until(() => ends.length === 2, 'two tries')
    let stopped = false
    const stopping = queue.stop().then(() => {
      stopped = true
    })
    await new Promise(setImmediate)
    assert.equal(stopped, false)
    for (const end of ends) end()
    await stopping
    queue.wake('k')
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(sent.length, 2)
    assert.equal(left.get('k')!.length, 3)
  })
})
