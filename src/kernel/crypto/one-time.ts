import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Random } from './tokens.ts'

/** How codes and links are stored in the tables of Kratos: lower-case hex of HMAC-SHA-512/256 under a cookie secret. */
export function keyedHash(text: string, secret: string): string {
  return createHmac('sha512-256', secret).update(text, 'utf8').digest('hex')
}

/** Whether `stored` is the hash of `text` under one of the secrets. Tries all of them, so that the time does not tell which. */
export function isHashOf(text: string, stored: string, secrets: readonly string[]): boolean {
  const wanted = Buffer.from(stored, 'latin1')
  let found = false
  for (const secret of secrets) {
    const hash = Buffer.from(keyedHash(text, secret), 'latin1')
    if (hash.length === wanted.length && timingSafeEqual(hash, wanted)) found = true
  }
  return found
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** Bytes from here up are dropped: modulo would favour some of the letters. */
const FAIR_BYTE = 248

/** Letters and digits. */
export function randomText(random: Random, length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of random(length)) if (byte < FAIR_BYTE) text += LETTERS[byte % LETTERS.length]
  }
  return text.slice(0, length)
}

export const CODE_LENGTH = 6
const CODES = 10 ** CODE_LENGTH
/** Numbers from here up are drawn again: modulo would favour some of the codes. */
const FAIR = Math.floor(2 ** 32 / CODES) * CODES

/** Six decimal digits. */
export function newCode(random: Random): string {
  for (;;) {
    const number = random(4).readUInt32BE()
    if (number < FAIR) return String(number % CODES).padStart(CODE_LENGTH, '0')
  }
}
