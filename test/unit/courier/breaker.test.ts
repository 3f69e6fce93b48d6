import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBreaker } from '../../../src/courier/breaker.ts'
import { SECOND } from '../../../src/kernel/base/clock.ts'

test('a channel that is shut lets one message through after a pause that grows to a minute, and opens at once', () => {
  const breaker = createBreaker()
  assert.equal(breaker.allowed(10, 0), 10)
  const pauses: number[] = []
  let now = 0
  for (let i = 0; i < 8; i++) {
    const until = breaker.shut(now)
    // those that were under way together fail together
    assert.equal(breaker.shut(now), until)
    assert.equal(breaker.allowed(10, until - 1), 0)
    assert.equal(breaker.allowed(10, until), 1)
    pauses.push((until - now) / SECOND)
    now = until
  }
  assert.deepEqual(pauses, [5, 10, 20, 40, 60, 60, 60, 60])
  breaker.open()
  assert.equal(breaker.allowed(10, now), 10)
})
