import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runningMs } from '../../src/kernel/base/running-clock.ts'
import { createBatcher } from '../../src/kernel/db/batch.ts'
import { OutcomeUnknown, StoreUnavailable } from '../../src/kernel/db/client.ts'
import fc from '../helpers/fast-check.ts'
import { until } from '../helpers/until.ts'

type Key = { id: number; fate: 'row' | 'missing' | 'poison' }
type Outcome = { value: string } | { error: string }

/** What a call of its own would answer. */
function unbatched({ id, fate }: Key): Outcome {
  if (fate === 'poison') return { error: `poison ${id}` }
  return fate === 'missing' ? { error: `missing ${id}` } : { value: `row ${id}` }
}

const keys = fc.array(
  fc.record({
    id: fc.nat(8),
    fate: fc.constantFrom('row' as const, 'row' as const, 'missing' as const, 'poison' as const),
  }),
  { maxLength: 60 },
)
const settle = (call: Promise<string>): Promise<Outcome> =>
  call.then(
    (value) => ({ value }),
    (error: Error) => ({ error: error.message }),
  )

describe('calls sent as one', () => {
  test('each caller gets what a call of its own would have given, in any interleaving', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        keys,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 3 }),
        async (s, list, maxSize, maxInFlight) => {
          let inFlight = 0
          const done: Key[] = []
          const call = createBatcher<Key, string>({
            maxSize,
            maxInFlight,
            nameOf: (key) => String(key.id),
            async run(batch) {
              inFlight += 1
              assert.ok(inFlight <= maxInFlight && batch.length >= 1 && batch.length <= maxSize)
              assert.equal(
                new Set(batch.map((key) => key.id)).size,
                batch.length,
                'the same name twice in one statement',
              )
              await s.schedule(Promise.resolve())
              inFlight -= 1
              const poisoned = batch.find((key) => key.fate === 'poison')
              if (poisoned) throw new Error(`poison ${poisoned.id}`)
              done.push(...batch)
              return batch.map((key) => (key.fate === 'missing' ? new Error(`missing ${key.id}`) : `row ${key.id}`))
            },
          })
          const outcomes = list.map(async (key) => {
            await s.schedule(Promise.resolve())
            return settle(call(key))
          })
          await s.waitFor(Promise.all(outcomes))
          assert.deepEqual(await Promise.all(outcomes), list.map(unbatched))
          const expected = list.filter((key) => key.fate !== 'poison')
          const sorted = (all: Key[]) => all.map((key) => JSON.stringify(key)).sort()
          assert.deepEqual(sorted(done), sorted(expected), 'each took effect exactly once')
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a lone call leaves at once; those that come while it is away leave together', async () => {
    const sizes: number[] = []
    let finish = () => {}
    const gate = new Promise<void>((resolve) => {
      finish = resolve
    })
    const call = createBatcher<number, number>({
      maxInFlight: 1,
      onBatch: (size) => sizes.push(size),
      run: async (batch) => {
        await gate
        return batch
      },
    })
    const answers = Array.from({ length: 70 }, (_, index) => call(index))
    assert.deepEqual(sizes, [1])
    finish()
    assert.deepEqual(
      await Promise.all(answers),
      Array.from({ length: 70 }, (_, index) => index),
    )
    assert.deepEqual(sizes, [1, 64, 5])
  })

  test('when it is unknown whether a batch took effect, no call is sent again', async () => {
    let runs = 0
    const call = createBatcher<number, number>({
      maxInFlight: 1,
      async run() {
        runs += 1
        await Promise.resolve()
        throw new OutcomeUnknown('cut off')
      },
    })
    const outcomes = await Promise.allSettled([call(1), call(2), call(3)])
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason instanceof OutcomeUnknown))
    assert.equal(runs, 2)
  })

  test('a full queue refuses at once', async () => {
    let finish = (_: number[]) => {}
    const call = createBatcher<number, number>({
      maxInFlight: 1,
      maxQueue: 2,
      run: (batch) => (batch[0] === 0 ? new Promise((resolve) => (finish = resolve)) : Promise.resolve(batch)),
    })
    const kept = [call(0), call(1), call(2)]
    await assert.rejects(call(3), StoreUnavailable)
    finish([0])
    assert.deepEqual(await Promise.all(kept), [0, 1, 2])
  })

  test('who has waited too long is refused when its turn comes', async () => {
    let finish = (_: number[]) => {}
    const sent: number[] = []
    const call = createBatcher<number, number>({
      maxInFlight: 1,
      maxWaitMs: 50,
      run(batch) {
        sent.push(...batch)
        return new Promise((resolve) => (finish = resolve))
      },
    })
    const first = call(0)
    const late = call(1)
    // Time in which the process was stopped does not count.
    const since = runningMs()
    await until(() => runningMs() - since > 50)
    finish([0])
    assert.equal(await first, 0)
    await assert.rejects(late, StoreUnavailable)
    assert.deepEqual(sent, [0])
  })
})
