import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { retryAfterMs } from '../../../src/kernel/outbound/retry-after.ts'

const NOW = Date.UTC(2026, 10, 27, 12, 0, 0)

describe('Retry-After', () => {
  const given: [string | undefined, number | undefined][] = [
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7000],
    ['00000000000000000000000000000000000003', 3000],
    ['Fri, 27 Nov 2026 12:00:30 GMT', 30_000],
    ['Friday, 27-Nov-26 12:00:30 GMT', 30_000],
    ['Fri Nov 27 12:00:30 2026', 30_000],
    ['Sun Dec  6 12:00:00 2026', 9 * 86_400_000],
    ['fri, 27 nov 2026 12:00:30 gmt', 30_000],
    // passed, also by a year of two digits that cannot be of the future
    ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
    ['Sun Nov  6 08:49:37 1994', 0],
    [undefined, undefined],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['+3', undefined],
    ['1e3', undefined],
    ['Fri, 27 Foo 2026 12:00:30 GMT', undefined],
    ['Fri, 27 Nov 2026 25:00:30 GMT', undefined],
    ['2026-11-27T12:00:30Z', undefined],
    ['9'.repeat(100), undefined],
  ]
  for (const [value, expected] of given) {
    test(`${JSON.stringify(value)?.slice(0, 50)} is ${expected} ms`, () =>
      assert.equal(retryAfterMs(value, NOW), expected))
  }

  test('any number of seconds is a number, for the caller to limit', () => {
    assert.ok(retryAfterMs('9'.repeat(40), NOW)! > 1e12)
  })
})
