import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { SECOND } from '../../../src/kernel/base/clock.ts'
import {
  decodeSecureCookie,
  encodeSecureCookie,
  openSecureCookie,
} from '../../../src/kernel/crypto/cookies/securecookie.ts'
import { CookieCache } from '../../../src/sessions/http/cookie-cache.ts'
import fc from '../../helpers/fast-check.ts'
import type { SessionVector } from './fixture.ts'
import { vectors } from './fixture.ts'

const read = (v: SessionVector) => ({
  name: v.cookie_name,
  value: v.value,
  secrets: v.secrets,
  now: v.now * SECOND,
  maxAgeSeconds: v.max_age,
})

const base = { name: 'ory_kratos_session', secrets: ['a-secret-of-16-chars'], now: 1_795_359_178 * SECOND }

describe('session cookie vectors', () => {
  it('covers every recorded vector', () => {
    assert.equal(vectors.session.length, 59)
    assert.equal(vectors.session.filter((v) => v.expect.ok).length, 31)
  })

  for (const vector of vectors.session) {
    it(vector.id, () => {
      const opened = openSecureCookie(read(vector))
      if (!vector.expect.ok) return assert.equal(opened, undefined)
      assert.deepEqual(opened, { timestamp: vector.expect.timestamp, values: vector.expect.values })
      assert.deepEqual(decodeSecureCookie(read(vector)), vector.expect.values)
    })
  }

  for (const vector of vectors.session) {
    if (!vector.expect.ok) continue
    const values = vector.expect.values
    it(`${vector.id}: written anew and read again`, () => {
      const options = { ...read(vector), values, random: randomBytes }
      assert.deepEqual(decodeSecureCookie({ ...options, value: encodeSecureCookie(options) }), values)
    })
  }

  for (const vector of vectors.continuity) {
    it(`${vector.id} is not taken for a session cookie`, () => {
      assert.equal(decodeSecureCookie(read(vector)), undefined)
    })
    it(`${vector.id} is read by pairs of secrets, and written so`, () => {
      const options = { ...read(vector), pairs: true }
      const values = decodeSecureCookie(options)
      assert.deepEqual(values, vector.expect.ok && vector.expect.values)
      const value = encodeSecureCookie({ ...options, values: values!, random: randomBytes })
      assert.deepEqual(decodeSecureCookie({ ...options, value }), values)
    })
  }
})

describe('encodeSecureCookie', () => {
  it('round-trips any entries', () => {
    const values = fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.string({ maxLength: 40 }), {
      maxKeys: 8,
    })
    fc.assert(
      fc.property(values, (entries) => {
        const value = encodeSecureCookie({ ...base, values: entries, random: randomBytes })
        const back = decodeSecureCookie({ ...base, value, maxAgeSeconds: 60 })
        assert.deepEqual(new Map(Object.entries(back!)), new Map(Object.entries(entries)))
      }),
    )
  })

  it('writes with the first secret and reads with any', () => {
    const value = encodeSecureCookie({ ...base, values: { a: 'b' }, random: randomBytes })
    const rotated = ['the-new-secret-of-now', ...base.secrets]
    assert.deepEqual(decodeSecureCookie({ ...base, value, secrets: rotated, maxAgeSeconds: 60 }), { a: 'b' })
    const renewed = encodeSecureCookie({ ...base, secrets: rotated, values: { a: 'b' }, random: randomBytes })
    assert.equal(decodeSecureCookie({ ...base, value: renewed, maxAgeSeconds: 60 }), undefined)
  })

  it('refuses to write without a secret or beyond 4096 characters', () => {
    assert.throws(
      () => encodeSecureCookie({ ...base, secrets: [], values: {}, random: randomBytes }),
      /secrets\.cookie/,
    )
    const values = { session_token: 'x'.repeat(3000) }
    assert.throws(() => encodeSecureCookie({ ...base, values, random: randomBytes }), /at most 4096/)
  })

  it('refuses every value with one changed character', () => {
    const value = encodeSecureCookie({ ...base, values: { session_token: 'ory_st_x' }, random: randomBytes })
    for (let i = 0; i < value.length; i++) {
      const changed = `${value.slice(0, i)}${value[i] === 'A' ? 'B' : 'A'}${value.slice(i + 1)}`
      assert.equal(decodeSecureCookie({ ...base, value: changed, maxAgeSeconds: 60 }), undefined, `position ${i}`)
    }
  })

  it('never throws on foreign text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (value) => {
        assert.equal(decodeSecureCookie({ ...base, value, maxAgeSeconds: 60 }), undefined)
      }),
    )
  })
})

describe('CookieCache', () => {
  const write = (values: Record<string, string>) => encodeSecureCookie({ ...base, values, random: randomBytes })
  const ask = (value: string) => ({ ...base, value, maxAgeSeconds: 60 })

  it('gives the same answers as the reader, first and second time', () => {
    const cache = new CookieCache()
    for (const vector of vectors.session) {
      const options = read(vector)
      const expected = vector.expect.ok ? vector.expect.values : undefined
      assert.deepEqual(cache.decode(options), expected, vector.id)
      assert.deepEqual(cache.decode(options), expected, `${vector.id} again`)
    }
  })

  it('still checks the age of what it knows', () => {
    const cache = new CookieCache()
    const value = write({ a: 'b' })
    assert.deepEqual(cache.decode(ask(value)), { a: 'b' })
    assert.equal(cache.decode({ ...ask(value), now: base.now + 61 * SECOND }), undefined)
  })

  it('does not serve a value under another cookie name', () => {
    const cache = new CookieCache()
    const value = write({ a: 'b' })
    cache.decode(ask(value))
    assert.equal(cache.decode({ ...ask(value), name: 'other' }), undefined)
  })

  it('forgets everything when the secrets change', () => {
    const cache = new CookieCache()
    const value = write({ a: 'b' })
    cache.decode(ask(value))
    assert.equal(cache.decode({ ...ask(value), secrets: ['another-secret-of-now'] }), undefined)
    assert.equal(cache.size, 0)
  })

  it('stays within its bound, keeps what is in use and never stores what is not authentic', () => {
    const cache = new CookieCache(2)
    const [a, b, c] = [write({ n: 'a' }), write({ n: 'b' }), write({ n: 'c' })] as const
    const first = cache.decode(ask(a))
    cache.decode(ask(b))
    cache.decode(ask(a))
    cache.decode(ask('forged'))
    cache.decode(ask(c))
    assert.equal(cache.size, 2)
    assert.equal(cache.decode(ask(a)), first, 'the entry in use is still the same object')
  })
})
