import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import { createRunningClock, startDeadline } from '../../../src/kernel/base/running-clock.ts'
import { installLoadShedding } from '../../../src/kernel/http/load-shedding.ts'

const LIMIT_MS = 300

/** Holds up everything in this thread, with work. */
function work(ms: number): void {
  const start = process.cpuUsage()
  for (;;) {
    const { user, system } = process.cpuUsage(start)
    if (user + system > ms * 1000) return
  }
}

/** Holds up everything in this thread, as a machine does that is suspended: no work is done meanwhile. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

describe('load shedding', () => {
  async function statusAfter(t: { after(f: () => Promise<void>): void }, hold: () => void, url = '/'): Promise<number> {
    const app = fastify()
    installLoadShedding(app, LIMIT_MS)
    for (const path of ['/', '/health/alive']) app.get(path, async () => 'ok')
    t.after(() => app.close())
    await app.ready()
    hold()
    return (await app.inject(url)).statusCode
  }

  test('refuses at once behind work that takes longer than the limit', async (t) => {
    assert.equal(await statusAfter(t, () => work(3 * LIMIT_MS)), 503)
    assert.equal(await statusAfter(t, () => work(3 * LIMIT_MS), '/health/alive'), 200)
  })

  test('does not take a pause for work', async (t) => {
    assert.equal(await statusAfter(t, () => pause(5 * LIMIT_MS)), 200)
  })
})

describe('the running clock', () => {
  test('counts work whole, and of a pause next to nothing', (t) => {
    const clock = createRunningClock(10)
    t.after(() => clock.stop())
    let before = clock.now()
    work(200)
    assert.ok(clock.now() - before > 150)
    before = clock.now()
    pause(2000)
    assert.ok(clock.now() - before < 1000)
  })

  test('a deadline is not over because of a pause, and over in the end', async () => {
    let over = false
    const expired = new Promise<void>((resolve) => {
      startDeadline(1500, () => {
        over = true
        resolve()
      })
    })
    pause(2500)
    await new Promise((resolve) => setTimeout(resolve, 0))
    assert.equal(over, false)
    await expired
  })
})
