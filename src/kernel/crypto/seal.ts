import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { Random } from './tokens.ts'

/** Encrypts data that Kratos need not read, whatever `ciphers.algorithm` says: its default leaves everything readable. */
export interface Seal {
  /** @returns lower-case hex; undefined without a secret */
  close(plain: Uint8Array): string | undefined
  /** @returns undefined for anything that none of the secrets closed for this purpose */
  open(sealed: Buffer): Buffer | undefined
}

const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * AES-256-GCM with a key for one purpose.
 * @param purpose never changes: it is part of the key
 * @param secrets the first closes, all open
 */
export function createSeal(purpose: string, secrets: () => readonly string[], random: Random): Seal {
  const keyOf = (secret: string) => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
  return {
    close(plain) {
      const [secret] = secrets()
      if (secret === undefined) return undefined
      const iv = random(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keyOf(secret), iv)
      return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('hex')
    },
    open(sealed) {
      if (sealed.length < IV_BYTES + TAG_BYTES) return undefined
      for (const secret of secrets()) {
        const opened = openWith(keyOf(secret), sealed)
        if (opened) return opened
      }
      return undefined
    },
  }
}

function openWith(key: Buffer, sealed: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}
