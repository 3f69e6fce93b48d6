import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type CipherAlgorithm, createCipher } from '../../../src/kernel/crypto/cipher.ts'

interface Vector {
  algorithm: CipherAlgorithm
  secrets: string[]
}
const vectors: { tokens: (Vector & { plain: string; text: string })[]; states: (Vector & { state: string })[] } =
  JSON.parse(readFileSync(new URL('../../fixtures/cipher-vectors.json', import.meta.url), 'utf8'))

const SECRET = 'a-secret-of-thirty-two-character'

describe('the ciphers of tokens at rest', () => {
  for (const { plain, text, ...settings } of vectors.tokens) {
    it(`read what Kratos wrote with ${settings.algorithm}: ${plain.slice(0, 30)} (${text.length})`, () => {
      assert.equal(
        createCipher(() => settings, randomBytes)
          .decrypt(text)
          ?.toString(),
        plain,
      )
    })
  }

  for (const { state, ...settings } of vectors.states) {
    it(`read a state that Kratos sealed with ${settings.algorithm}: ${state.slice(0, 20)}`, () => {
      assert.ok(createCipher(() => settings, randomBytes).decrypt(state))
    })
  }

  for (const algorithm of ['noop', 'aes', 'xchacha20-poly1305'] as const) {
    it(`read what they wrote themselves: ${algorithm}`, () => {
      const cipher = createCipher(() => ({ algorithm, secrets: [SECRET] }), randomBytes)
      for (const length of [0, 1, 64, 10_000]) {
        const plain = randomBytes(length)
        assert.deepEqual(cipher.decrypt(cipher.encrypt(plain)), plain)
      }
    })
  }

  for (const algorithm of ['aes', 'xchacha20-poly1305'] as const) {
    it(`take nothing that was changed, cut or written with another secret: ${algorithm}`, () => {
      const cipher = createCipher(() => ({ algorithm, secrets: [SECRET] }), randomBytes)
      const other = createCipher(() => ({ algorithm, secrets: [SECRET.toUpperCase()] }), randomBytes)
      const text = cipher.encrypt(Buffer.from('token'))
      for (let at = 0; at < text.length; at += 2) {
        const changed = (Number.parseInt(text.slice(at, at + 2), 16) ^ 1).toString(16).padStart(2, '0')
        assert.equal(cipher.decrypt(text.slice(0, at) + changed + text.slice(at + 2)), undefined)
        if (at > 0) assert.equal(cipher.decrypt(text.slice(0, at)), undefined)
      }
      assert.equal(other.decrypt(text), undefined)
      for (const text of ['zz', 'a', '€€']) assert.equal(cipher.decrypt(text), undefined)
    })
  }
})
