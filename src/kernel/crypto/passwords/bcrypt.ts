import type { Random } from '../tokens.ts'
import { nativeHashing } from './hashing-threads.ts'
import type { HasherSettings, ParseHash } from './types.ts'
import { PasswordTooLong } from './types.ts'

const MAX_BYTES = 72
/** Kratos silently raises lower ones. */
const MIN_COST = 12
/** About two seconds. Foreign hashes beyond are refused; own ones may cost what is configured. */
const MAX_FOREIGN_COST = 15
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** The cost that new hashes get. */
export function bcryptCost(settings: HasherSettings): number {
  return settings.dev ? settings.bcrypt.cost : Math.max(MIN_COST, settings.bcrypt.cost)
}

/** `$2a$` as Kratos writes it. @throws PasswordTooLong */
export async function hashBcrypt(password: Buffer, settings: HasherSettings, random: Random): Promise<string> {
  if (password.length > MAX_BYTES) throw new PasswordTooLong(password.length)
  // The library writes `$2b$`. The two differ for passwords beyond 255 bytes only.
  return (await nativeHashing.bcryptHash(password, bcryptCost(settings), random(16))).replace(/^\$2b/, '$2a')
}

/** 22 letters hold 132 bits of a salt of 128, 31 letters 186 bits of a digest of 184. */
const SALT_BITS_OF_LAST = 0b110000
const DIGEST_BITS_OF_LAST = 0b111100
const lastLetter = (letter: string, mask: number) => ALPHABET[ALPHABET.indexOf(letter) & mask]!

/**
 * Hashes that match no password; comparing with all of them costs `missing` rounds, to a sixteenth of the configured
 * cost: the difference to a lower cost is a sum of powers of two.
 */
export function dummyBcrypt(settings: HasherSettings, random: Random, missing = Number.POSITIVE_INFINITY): string[] {
  const highest = bcryptCost(settings)
  const dummies: string[] = []
  for (let cost = highest, left = Math.min(missing, 2 ** highest); cost >= Math.max(4, highest - 4); cost--) {
    if (left < 2 ** cost) continue
    left -= 2 ** cost
    const letters = Array.from(random(53), (byte) => ALPHABET[byte % ALPHABET.length]!)
    letters[21] = lastLetter(letters[21]!, SALT_BITS_OF_LAST)
    letters[52] = lastLetter(letters[52]!, DIGEST_BITS_OF_LAST)
    dummies.push(`$2a$${String(cost).padStart(2, '0')}$${letters.join('')}`)
  }
  return dummies
}

/** `$2$ $2a$ $2b$ $2y$ $2z$`: all one algorithm to Kratos, and so here. `$2x$` marks a broken one and is refused. */
export const parseBcrypt: ParseHash = (text, settings) => {
  const m = /^\$2[abyz]?\$(\d\d)\$([./A-Za-z0-9]{21})([./A-Za-z0-9])([./A-Za-z0-9]{30})([./A-Za-z0-9])$/.exec(text)
  if (!m) return undefined
  const cost = Number(m[1])
  if (cost < 4 || cost > Math.max(MAX_FOREIGN_COST, bcryptCost(settings))) return undefined
  // Some writers leave the spare bits of the salt set. The library refuses spare bits at once, without computing; in the
  // digest they match no password, at Kratos too, but that must take as long as any other mismatch.
  const lastOfDigest = lastLetter(m[5]!, DIGEST_BITS_OF_LAST)
  const canonical = `$2b$${m[1]}$${m[2]}${lastLetter(m[3]!, SALT_BITS_OF_LAST)}${m[4]}${lastOfDigest}`
  const fitting = lastOfDigest === m[5]
  return {
    family: 'bcrypt',
    work: 2 ** cost,
    weakerThan: (wanted) => cost < bcryptCost(wanted),
    // A password that is too long is compared all the same, so that the time is that of any other mismatch.
    matches: async (password) =>
      (await nativeHashing.bcryptVerify(password, canonical)) && fitting && password.length <= MAX_BYTES,
  }
}
