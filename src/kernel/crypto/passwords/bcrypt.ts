import type { Random } from '../tokens.ts'
import { nativeHashing } from './hashing-threads.ts'
import type { HasherSettings, ParseHash } from './types.ts'
import { PasswordTooLong } from './types.ts'

const MAX_BYTES = 72
/** Kratos silently raises what is configured below. */
const MIN_COST = 12
/** About two seconds. Foreign hashes beyond are refused; own ones may cost what the configuration says. */
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

/** A hash that no password fits; to compare with it costs as much as with a real one. */
export function dummyBcrypt(settings: HasherSettings, random: Random): string {
  const text = Array.from(random(53), (byte) => ALPHABET[byte % ALPHABET.length]).join('')
  return `$2a$${String(bcryptCost(settings)).padStart(2, '0')}$${text}`
}

/** `$2$ $2a$ $2b$ $2y$ $2z$`: all one algorithm to Kratos, and so here. `$2x$` marks a broken one and is not taken. */
export const parseBcrypt: ParseHash = (text, settings) => {
  const m = /^\$2[abyz]?\$(\d\d)\$([./A-Za-z0-9]{21})([./A-Za-z0-9])([./A-Za-z0-9]{31})$/.exec(text)
  if (!m) return undefined
  const cost = Number(m[1])
  if (cost < 4 || cost > Math.max(MAX_FOREIGN_COST, bcryptCost(settings))) return undefined
  // 22 characters hold 132 bits of a salt of 128. Some writers leave the four spare bits set; the library refuses that.
  const lastOfSalt = ALPHABET[ALPHABET.indexOf(m[3]!) & 0b110000]
  const canonical = `$2b$${m[1]}$${m[2]}${lastOfSalt}${m[4]}`
  return {
    family: 'bcrypt',
    cheap: cost < 10,
    weakerThan: (wanted) => cost < bcryptCost(wanted),
    // Too long a password is compared all the same, so that the time is that of any other mismatch.
    matches: async (password) =>
      (await nativeHashing.bcryptVerify(password, canonical)) && password.length <= MAX_BYTES,
  }
}
