import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { describe, it } from 'node:test'
import type { LoadedConfig } from '../../../src/config/load.ts'
import type { Logger } from '../../../src/kernel/base/log.ts'
import type { Series } from '../../../src/ops/metrics-sum.ts'
import { createCollection } from '../../../src/ops/workers/collect.ts'
import { createLineRelay, type Fork, type Forker } from '../../../src/ops/workers/fork.ts'
import type { ToPrimary, ToWorker } from '../../../src/ops/workers/messages.ts'
import { shareOf } from '../../../src/ops/workers/share.ts'
import { superviseWorkers } from '../../../src/ops/workers/supervise.ts'

/** Processes that do what the test says, and pauses that end at once. */
function setup(count: number) {
  const forks: (Fork & { sent: ToWorker['kind'][]; say(message: ToPrimary): void; end(code: number | null): void })[] =
    []
  const pauses: number[] = []
  let stop: (signal: string) => void = () => {}
  const fork: Forker = ({ onMessage, onEnd }) => {
    const sent: ToWorker['kind'][] = []
    const made = {
      pid: forks.length + 1,
      sent,
      send: ({ kind }: ToWorker) => void sent.push(kind),
      kill: () => onEnd({ code: null, signal: 'SIGKILL' }),
      say: onMessage,
      end: (code: number | null) => onEnd({ code, signal: code === null ? 'SIGSEGV' : null }),
    }
    forks.push(made)
    return made
  }
  const quiet = () => {}
  const server = superviseWorkers({
    count,
    fork,
    loaded: () => ({}) as LoadedConfig,
    stopRequested: new Promise((resolve) => {
      stop = resolve
    }),
    log: { info: quiet, error: quiet, fatal: quiet } as unknown as Logger,
    drainMs: () => 0,
    pause: async (ms) => pauses.push(ms),
  })
  const serve = (index: number) => {
    forks[index]!.say({ kind: 'hello' })
    forks[index]!.say({ kind: 'serving' })
  }
  return { server, forks, pauses, serve, stop: () => stop('SIGTERM') }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('workers', () => {
  it('follow the first, when it serves', () => {
    const { forks, serve } = setup(3)
    assert.equal(forks.length, 1)
    serve(0)
    assert.equal(forks.length, 3)
    assert.deepEqual(forks[0]!.sent, ['start'])
  })

  for (const [code, exit] of [
    [1, 1],
    [null, 1],
    [0, 0],
  ] as const) {
    it(`when the first ends with ${code} before it serves, the server ends with ${exit}`, async () => {
      const { forks, server, pauses } = setup(2)
      forks[0]!.end(code)
      assert.equal(await server.ended, exit)
      assert.deepEqual([forks.length, pauses], [1, []])
    })
  }

  it('that crash are replaced, each time a little later', async () => {
    const { forks, serve, pauses } = setup(2)
    serve(0)
    serve(1)
    for (let last = 1; last < 9; last += 1) {
      forks[last]!.end(null)
      await settled()
      serve(last + 1)
    }
    assert.deepEqual(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000])
    assert.ok(!forks[0]!.sent.includes('stop'))
  })

  it('that fail to start five times in a row end the server', async () => {
    const { forks, serve, server } = setup(2)
    serve(0)
    for (let last = 1; last <= 5; last += 1) {
      assert.equal(forks.length, last + 1)
      forks[last]!.end(1)
      await settled()
    }
    assert.equal(forks.length, 6, 'a sixth was tried')
    assert.deepEqual(forks[0]!.sent, ['start', 'stop'])
    forks[0]!.end(0)
    assert.equal(await server.ended, 1)
  })

  it('stop when asked, also those that have not begun, and none is replaced', async () => {
    const { forks, serve, server, stop } = setup(3)
    serve(0)
    forks[1]!.say({ kind: 'hello' })
    stop()
    await settled()
    forks[2]!.say({ kind: 'hello' })
    assert.deepEqual(
      forks.map(({ sent }) => sent),
      [
        ['start', 'stop'],
        ['start', 'stop'],
        ['stop', 'stop'],
      ],
    )
    for (const { end } of forks) end(0)
    assert.equal(await server.ended, 0)
    assert.equal(forks.length, 3)
  })
})

const counter = (value: number): Series[] =>
  [
    { name: 'c', help: 'c', type: 'counter', values: [{ value, labels: {} }], aggregator: 'sum' },
    { name: 'g', help: 'g', type: 'gauge', values: [{ value, labels: {} }], aggregator: 'sum' },
  ] as unknown as Series[]

describe('the sum of what workers count', () => {
  const sumOf = (parts: Series[][], name: string) =>
    parts.flat().reduce((sum, one) => sum + (one.name === name ? one.values[0]!.value : 0), 0)

  it('has the last known values of one that does not answer, and the counts of those that are gone', async () => {
    const workers = new Set(['a', 'b'])
    let silent = false
    const collection = createCollection<string>({
      workers: () => workers,
      ask: (worker, ask) => void (silent || collection.counted(worker, ask, counter(5))),
      limitMs: 1,
    })
    assert.equal(sumOf(await collection.ofOthers('a', counter(1)), 'c'), 5)
    silent = true
    assert.equal(sumOf(await collection.ofOthers('a', counter(1)), 'c'), 5)
    for (const name of ['b', 'c']) {
      workers.delete(name)
      collection.gone(name)
    }
    const left = await collection.ofOthers('a', counter(1))
    assert.deepEqual([sumOf(left, 'c'), sumOf(left, 'g')], [5, 0])
    assert.doesNotThrow(() => structuredClone(left), 'it cannot be sent')
  })
})

describe('lines of several processes', () => {
  it('come out whole, the last half one too', async () => {
    let text = ''
    const out = new Writable({
      highWaterMark: 1,
      write(chunk, _encoding, done) {
        text += chunk
        done()
      },
    })
    const relay = createLineRelay(out)
    const [a, b] = [new PassThrough(), new PassThrough()]
    relay(a)
    relay(b)
    for (const [source, chunk] of [
      [a, 'a1'],
      [b, 'b1\nb2'],
      [a, ' a1\na2\na3'],
      [b, ' b2\n'],
    ] as const) {
      source.write(chunk)
      await settled()
    }
    a.end()
    await settled()
    assert.equal(text, 'b1\na1 a1\na2\nb2 b2\na3\n')
  })
})

describe('the share of a worker', () => {
  for (const [processors, workers, hashes, connections] of [
    [1, 2, 1, 4],
    [2, 2, 1, 4],
    [8, 2, 3, 8],
    [8, 8, 1, 4],
    [64, 8, 3, 16],
  ] as const) {
    it(`of ${workers} on ${processors} processors`, () =>
      assert.deepEqual(shareOf(processors, workers), { hashes, connections }))
  }
})
