import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { SECOND, systemClock } from '../../../src/kernel/base/clock.ts'

/** The clock, and the hands of the one on the wall. */
function clockOnWall(t: TestContext) {
  const start = 1_800_000_000_000
  let wall = start
  t.mock.method(Date, 'now', () => wall)
  const turn = (seconds: number) => {
    wall += seconds * 1000
  }
  return { clock: systemClock(), start: start * 1000, turn }
}

describe('the clock of rows', () => {
  test('gives each a time of its own within a millisecond', (t) => {
    const { clock, start } = clockOnWall(t)
    assert.deepEqual([clock.now(), clock.now(), clock.now()], [start, start + 1, start + 2])
  })

  test('keeps their order while it is set back a little', (t) => {
    const { clock, start, turn } = clockOnWall(t)
    clock.now()
    turn(-1)
    assert.equal(clock.now(), start + 1)
    turn(3)
    assert.equal(clock.now(), start + 2 * SECOND)
  })

  test('goes on from where it is set back to after a wrong jump ahead', (t) => {
    const { clock, start, turn } = clockOnWall(t)
    turn(86_400)
    assert.equal(clock.now(), start + 86_400 * SECOND)
    turn(-86_400)
    assert.equal(clock.now(), start)
    turn(60)
    assert.equal(clock.now(), start + 60 * SECOND)
  })
})
