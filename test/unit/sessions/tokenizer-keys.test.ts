import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { exportJWK, generateKeyPair } from 'jose'
import { firstSigningKey, KeyUnusable, keepKey, type SigningKey } from '../../../src/tokens/keys.ts'

const key = (kid: string): SigningKey => ({ alg: 'HS256', kid, key: new Uint8Array(32) })

/** A source that is read by hand, and a clock that stands still until it is moved. */
function source() {
  const reads: { done(kid: string): void; failed(error: Error): void }[] = []
  const clock = { now: 0 }
  const get = keepKey(
    () =>
      new Promise((resolve, reject) => {
        reads.push({ done: (kid) => resolve(key(kid)), failed: reject })
      }),
    () => clock.now,
  )
  return { reads, clock, get: async () => (await get()).kid }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('a signing key is kept', () => {
  it('many requests cost one reading', async () => {
    const { reads, get } = source()
    const asked = [get(), get(), get()]
    reads[0]!.done('a')
    assert.deepEqual(await Promise.all([...asked, get()]), ['a', 'a', 'a', 'a'])
    assert.equal(reads.length, 1)
  })

  it('after a minute it is read again, and no request waits for that', async () => {
    const { reads, clock, get } = source()
    const first = get()
    reads[0]!.done('a')
    await first
    clock.now = 59_999
    await get()
    assert.equal(reads.length, 1)
    clock.now = 60_000
    assert.deepEqual([await get(), await get()], ['a', 'a'])
    assert.equal(reads.length, 2)
    reads[1]!.done('b')
    await settled()
    assert.equal(await get(), 'b')
  })

  it('a source that fails leaves the key in force for an hour and is asked again after five seconds', async () => {
    const { reads, clock, get } = source()
    const first = get()
    reads[0]!.done('a')
    await first
    clock.now = 60_000
    await get()
    reads[1]!.failed(new Error('away'))
    await settled()
    clock.now = 64_999
    assert.equal(await get(), 'a')
    assert.equal(reads.length, 2)
    clock.now = 3_600_000
    const late = get()
    reads[2]!.failed(new Error('still away'))
    await assert.rejects(late, /still away/)
    await assert.rejects(get(), /still away/)
    assert.equal(reads.length, 3)
  })
})

describe('the key that signs', () => {
  it('is the first of the set', async () => {
    const sets = await Promise.all(
      ['ES256', 'EdDSA'].map(async (alg) => {
        const { privateKey } = await generateKeyPair(alg, { extractable: true })
        return { ...(await exportJWK(privateKey)), alg, kid: `kid-${alg}` }
      }),
    )
    const { alg, kid } = await firstSigningKey({ keys: sets })
    assert.deepEqual([alg, kid], ['ES256', 'kid-ES256'])
  })

  for (const [what, jwks, reason] of [
    ['an empty set', { keys: [] }, /suitable key/],
    ['no set at all', null, /suitable key/],
    ['no alg', { keys: [{ kty: 'oct', k: 'aaaa' }] }, /valid "alg" parameter but "" was given/],
    ['none as alg', { keys: [{ kty: 'oct', k: 'aaaa', alg: 'none' }] }, /but "none" was given/],
    ['an encryption alg', { keys: [{ kty: 'oct', k: 'aaaa', alg: 'A128GCM' }] }, /but "A128GCM" was given/],
    [
      'a kind of key that does not fit',
      { keys: [{ kty: 'oct', k: 'aaaa', alg: 'RS256' }] },
      /decode the given private key/,
    ],
  ] as const) {
    it(`${what} cannot sign`, () =>
      assert.rejects(
        firstSigningKey(jwks),
        (error: Error) => error instanceof KeyUnusable && reason.test(error.message),
      ))
  }

  it('a public key cannot sign', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    await assert.rejects(firstSigningKey({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] }), KeyUnusable)
  })
})
