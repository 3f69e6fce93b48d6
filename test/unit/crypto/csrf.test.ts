import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  csrfCookieName,
  isCsrfCookieValue,
  maskCsrf,
  newCsrfSecret,
  verifyCsrf,
} from '../../../src/kernel/crypto/csrf.ts'
import { vectors } from './fixture.ts'

describe('CSRF vectors', () => {
  it('covers every recorded vector', () => {
    assert.deepEqual([vectors.csrf.length, vectors.csrf_cookie_names.length], [15, 5])
  })
  for (const vector of vectors.csrf) {
    it(vector.id, () => assert.equal(verifyCsrf(vector.cookie, vector.token), vector.ok))
  }
  for (const { base_url, name } of vectors.csrf_cookie_names) {
    it(`name for ${base_url}`, () => assert.equal(csrfCookieName(base_url), name))
  }
})

describe('CSRF tokens', () => {
  const cookie = newCsrfSecret(randomBytes)

  it('are masked anew each time and all fit the cookie', () => {
    const tokens = Array.from({ length: 50 }, () => maskCsrf(cookie, randomBytes))
    assert.equal(new Set(tokens).size, 50)
    for (const token of tokens) {
      assert.equal(token.length, 88)
      assert.ok(verifyCsrf(cookie, token, { maskedOnly: true }))
      assert.ok(!verifyCsrf(newCsrfSecret(randomBytes), token))
    }
  })

  it('may be bare in flow submits only', () => {
    assert.ok(verifyCsrf(cookie, cookie))
    assert.ok(!verifyCsrf(cookie, cookie, { maskedOnly: true }))
  })

  it('fail without cookie or token', () => {
    assert.ok(!verifyCsrf(undefined, maskCsrf(cookie, randomBytes)))
    assert.ok(!verifyCsrf(cookie, undefined))
    assert.ok(!verifyCsrf('', ''))
  })

  it('need a cookie of 32 bytes', () => {
    assert.equal(cookie.length, 44)
    assert.ok(isCsrfCookieValue(cookie))
    for (const bad of [
      undefined,
      '',
      'x',
      `${cookie}A`,
      randomBytes(31).toString('base64'),
      randomBytes(33).toString('base64'),
    ]) {
      assert.ok(!isCsrfCookieValue(bad), String(bad))
    }
    assert.throws(() => maskCsrf('short', randomBytes), /32 bytes/)
  })
})
