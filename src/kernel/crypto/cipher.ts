import { createCipheriv, createDecipheriv } from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import type { Random } from './tokens.ts'

export type CipherAlgorithm = 'noop' | 'aes' | 'xchacha20-poly1305'

export interface CipherSettings {
  algorithm: CipherAlgorithm
  /** 32 bytes each; the first writes, all read */
  secrets: readonly string[]
}

/** Encrypts secrets in the database: tokens of providers. */
export interface Cipher {
  /** @returns lower-case hex */
  encrypt(plain: Uint8Array): string
  /** @returns undefined for anything that none of the secrets wrote */
  decrypt(text: string): Buffer | undefined
}

interface Algorithm {
  nonceBytes: number
  seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Uint8Array
  /** @throws Error when the tag is wrong */
  open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array
}

const TAG_BYTES = 16

const AES: Algorithm = {
  nonceBytes: 12,
  seal(key, nonce, plain) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  },
  open(key, nonce, sealed) {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()])
  },
}

const XCHACHA: Algorithm = {
  nonceBytes: 24,
  seal: (key, nonce, plain) => xchacha20poly1305(key, nonce).encrypt(plain),
  open: (key, nonce, sealed) => xchacha20poly1305(key, nonce).decrypt(sealed),
}

/**
 * The ciphers of Kratos's `ciphers.algorithm`, to the byte: hex of nonce, ciphertext and tag. `noop` is hex alone.
 * Without secrets every algorithm is `noop`, and an empty text stays empty, as there.
 */
export function createCipher(settings: () => CipherSettings, random: Random): Cipher {
  return {
    encrypt(plain) {
      const { algorithm, secrets } = settings()
      const used = algorithmOf(algorithm)
      const [secret] = secrets
      if (!used || secret === undefined || plain.length === 0) return Buffer.from(plain).toString('hex')
      const nonce = random(used.nonceBytes)
      return Buffer.concat([nonce, used.seal(Buffer.from(secret), nonce, plain)]).toString('hex')
    },
    decrypt(text) {
      if (!/^(?:[0-9a-f]{2})*$/i.test(text)) return undefined
      const { algorithm, secrets } = settings()
      const bytes = Buffer.from(text, 'hex')
      const used = algorithmOf(algorithm)
      if (!used || secrets.length === 0 || bytes.length === 0) return bytes
      if (bytes.length < used.nonceBytes + TAG_BYTES) return undefined
      for (const secret of secrets) {
        try {
          return Buffer.from(
            used.open(Buffer.from(secret), bytes.subarray(0, used.nonceBytes), bytes.subarray(used.nonceBytes)),
          )
        } catch {
          // written with another secret, or forged
        }
      }
      return undefined
    },
  }
}

const algorithmOf = (name: CipherAlgorithm) => ({ noop: undefined, aes: AES, 'xchacha20-poly1305': XCHACHA })[name]
