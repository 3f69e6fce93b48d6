import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUri, isUriOrPath } from '../../../src/config/checks/uris.ts'
import { DURATION, durationToMs, MAX_DURATION_MS, msToDuration } from '../../../src/config/schema/durations.ts'
import { byteSize } from '../../../src/config/schema/fields.ts'

test('durations are milliseconds', () => {
  const cases: [string, number][] = [
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['90m60s', 5_460_000],
    ['10ms', 10],
    ['500us', 0.5],
    ['1ns', 1e-6],
    ['0s', 0],
    ['1m1m', 120_000],
  ]
  for (const [text, ms] of cases) {
    assert.match(text, DURATION)
    assert.equal(durationToMs(text), ms)
  }
  for (const text of ['1d', '7d', '1.5h', '3600', '1µs', '', '-1h', '1h ', 'h']) assert.doesNotMatch(text, DURATION)
})

test('a duration that overflows stays a usable number', () => {
  assert.equal(durationToMs('100000000h'), MAX_DURATION_MS)
  assert.ok(!Number.isNaN(new Date(durationToMs('9999999999999999999999h')).getTime()))
})

test('milliseconds are printed as a duration that reads back', () => {
  for (const ms of [0, 1, 999, 1000, 61_001, 86_400_000]) assert.equal(durationToMs(msToDuration(ms)), ms)
})

test('sizes are bytes', () => {
  assert.equal(byteSize().parse('128MB'), 128 * 1024 * 1024)
  assert.equal(byteSize().parse('8B'), 8)
  for (const text of ['128', '128 MB', '1mb', '1.5GB', '128MBx'])
    assert.equal(byteSize().safeParse(text).success, false)
})

test('addresses', () => {
  for (const good of [
    'https://a.example',
    'https://a.example:8080/x?y#z',
    'exp://localhost:8081/--/Callback',
    'file:///etc/x.json',
    'file://./x',
    'base64://eyJhIjoxfQ==',
    'https://*.example.com',
    'http://[::1]:80/',
    'https://user:pass@host/',
  ]) {
    assert.ok(isUri(good), good)
  }
  for (const bad of [
    '',
    'a.example',
    '/path',
    'http://a b',
    'base64://%%%',
    'base64://{X}',
    'http://a:b/',
    'https://a/\r\nX: y',
    'https://a/%zz',
  ]) {
    assert.ok(!isUri(bad), bad)
  }
  for (const good of ['/', '/a/b?c', 'https://a/']) assert.ok(isUriOrPath(good), good)
  // A browser reads all of these as another host.
  for (const bad of ['//evil.example', '/\\evil.example', 'not a url', 'relative', ''])
    assert.ok(!isUriOrPath(bad), bad)
})
