import { createHash, timingSafeEqual } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { ParseHash } from './types.ts'

/**
 * The hashes of crypt(3): MD5 and SHA-2. They run in JavaScript, so on the event loop, in slices of less than a
 * millisecond. 656000 rounds, the highest number seen in use, took 1.7 s in all, so only a few of them at once are bearable;
 * after a successful login the hash is replaced.
 * @see https://www.akkadia.org/drepper/SHA-crypt.txt
 */
const SLICE_ROUNDS = 256
const MAX_ROUNDS = 1_000_000
/** Rounds in the time of one round of bcrypt. */
const ROUNDS_OF_ONE_BCRYPT_ROUND = 50
/** Bytes. The work grows with rounds times length, and at the start with the length squared. */
const MAX_PASSWORD = 512
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** `$md5-crypt$salt$hash`: what crypt(3) calls `$1$`. */
export const parseMd5Crypt: ParseHash = (text) => {
  const m = /^\$md5-crypt\$([^$]{0,8})\$([./0-9A-Za-z]{22})$/.exec(text)
  if (!m) return undefined
  const salt = Buffer.from(m[1]!)
  return {
    family: 'md5-crypt',
    work: 1000 / ROUNDS_OF_ONE_BCRYPT_ROUND,
    matches: async (password) => fits(password, m[2]!, async (cut) => md5Crypt(cut, salt)),
  }
}

/** `$sha256-crypt$rounds=N$salt$hash` and `$sha512-crypt$…`: what crypt(3) calls `$5$` and `$6$`; 5000 rounds unless said. */
export const parseShaCrypt: ParseHash = (text) => {
  const m =
    /^\$(sha256|sha512)-crypt\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/.exec(text)
  if (!m) return undefined
  const algorithm = m[1] as 'sha256' | 'sha512'
  const rounds = Number(m[2] ?? 5000)
  if (rounds < 1000 || rounds > MAX_ROUNDS || m[4]!.length !== (algorithm === 'sha256' ? 43 : 86)) return undefined
  const salt = Buffer.from(m[3]!)
  return {
    family: `${algorithm}-crypt`,
    work: rounds / ROUNDS_OF_ONE_BCRYPT_ROUND,
    matches: (password) => fits(password, m[4]!, (cut) => shaCrypt(algorithm, cut, salt, rounds)),
  }
}

/** A longer password is cut for the computation only, so that the time is that of any other mismatch. */
async function fits(password: Buffer, expected: string, compute: (cut: Buffer) => Promise<string>): Promise<boolean> {
  const text = await compute(password.subarray(0, MAX_PASSWORD))
  return timingSafeEqual(Buffer.from(text), Buffer.from(expected)) && password.length <= MAX_PASSWORD
}

function md5Crypt(password: Buffer, salt: Buffer): string {
  const first = digest('md5', [password, salt, password])
  const bits: Buffer[] = []
  for (let n = password.length; n > 0; n >>= 1) bits.push(n & 1 ? Buffer.of(0) : password.subarray(0, 1))
  let sum = digest('md5', [password, Buffer.from('$1$'), salt, repeat(first, password.length), ...bits])
  for (let i = 0; i < 1000; i++) sum = digest('md5', round(i, sum, password, salt))
  const groups = [0, 1, 2, 3].map((i) => letters(4, sum[i]!, sum[i + 6]!, sum[i + 12]!))
  return groups.join('') + letters(4, sum[4]!, sum[10]!, sum[5]!) + letters(2, 0, 0, sum[11]!)
}

async function shaCrypt(algorithm: string, password: Buffer, salt: Buffer, rounds: number): Promise<string> {
  const first = digest(algorithm, [password, salt, password])
  const bits: Buffer[] = []
  for (let n = password.length; n > 0; n >>= 1) bits.push(n & 1 ? first : password)
  let sum = digest(algorithm, [password, salt, repeat(first, password.length), ...bits])
  const p = repeat(digest(algorithm, Array(password.length).fill(password)), password.length)
  const s = repeat(digest(algorithm, Array(16 + sum[0]!).fill(salt)), salt.length)
  for (let i = 0; i < rounds; i++) {
    sum = digest(algorithm, round(i, sum, p, s))
    if (i % SLICE_ROUNDS === SLICE_ROUNDS - 1) await setImmediate()
  }
  return algorithm === 'sha256' ? spell256(sum) : spell512(sum)
}

/** The order in which both families feed one round. */
function round(i: number, sum: Buffer, password: Buffer, salt: Buffer): Buffer[] {
  const parts = [i & 1 ? password : sum]
  if (i % 3 !== 0) parts.push(salt)
  if (i % 7 !== 0) parts.push(password)
  parts.push(i & 1 ? sum : password)
  return parts
}

function spell256(sum: Buffer): string {
  let text = ''
  for (let n = 0, [a, b, c] = [0, 10, 20]; n < 10; n++, [a, b, c] = [c + 1, a + 1, b + 1]) {
    text += letters(4, sum[a]!, sum[b]!, sum[c]!)
  }
  return text + letters(3, 0, sum[31]!, sum[30]!)
}

function spell512(sum: Buffer): string {
  let text = ''
  for (let n = 0, [a, b, c] = [0, 21, 42]; n < 21; n++, [a, b, c] = [b + 1, c + 1, a + 1]) {
    text += letters(4, sum[a]!, sum[b]!, sum[c]!)
  }
  return text + letters(2, 0, 0, sum[63]!)
}

function letters(count: number, high: number, middle: number, low: number): string {
  let bits = (high << 16) | (middle << 8) | low
  let text = ''
  for (let i = 0; i < count; i++, bits >>= 6) text += ALPHABET[bits & 63]
  return text
}

function digest(algorithm: string, parts: readonly Buffer[]): Buffer {
  const sum = createHash(algorithm)
  for (const part of parts) sum.update(part)
  return sum.digest()
}

function repeat(block: Buffer, length: number): Buffer {
  return Buffer.alloc(length, block)
}
