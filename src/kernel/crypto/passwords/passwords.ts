import { availableParallelism } from 'node:os'
import type { Random } from '../tokens.ts'
import { argon2Work, dummyArgon2, hashArgon2, parseArgon2 } from './argon2.ts'
import { bcryptCost, dummyBcrypt, hashBcrypt, parseBcrypt } from './bcrypt.ts'
import { parseMd5Crypt, parseShaCrypt } from './crypt.ts'
import { parseHmac, parsePlainMd5, parseSaltedSha, parseTemplateDigest } from './digest.ts'
import { parseFirebaseScrypt, parsePbkdf2, parseScrypt } from './kdf.ts'
import type { QueueLimits } from './queue.ts'
import { boundedQueue } from './queue.ts'
import type { Hasher, HasherSettings, ParseHash, StoredHash } from './types.ts'

export type { Hasher, HasherSettings, Share } from './types.ts'
export { HashingBusy, PasswordTooLong } from './types.ts'

const FAMILIES: readonly ParseHash[] = [
  parseBcrypt,
  parseArgon2,
  parsePbkdf2,
  parseScrypt,
  parseTemplateDigest,
  parsePlainMd5,
  parseSaltedSha,
  parseHmac,
  parseMd5Crypt,
  parseShaCrypt,
  parseFirebaseScrypt,
]

/** Some families are computed by libuv's threads, four by default, which also serve files and DNS: one is left for those. */
const DEFAULTS = { concurrency: 3, queue: 128 }

/** Characters. Bounds keys and salts of every family; real hashes have a few hundred at most. */
const MAX_HASH_LENGTH = 2048

/**
 * Makes new hashes as configured and verifies those of every family that Kratos imports.
 * @param settings read at each call, so that a reload counts at once
 */
export function createHasher(settings: () => HasherSettings, deps: { random: Random } & Partial<QueueLimits>): Hasher {
  const run = boundedQueue({
    concurrency: deps.concurrency ?? Math.min(DEFAULTS.concurrency, availableParallelism()),
    queue: deps.queue ?? DEFAULTS.queue,
    ...(deps.onLoad === undefined ? {} : { onLoad: deps.onLoad }),
  })

  /**
   * Computes the rest of the configured work after `done` rounds, by comparing with random digests.
   * @param done rounds of bcrypt
   */
  async function makeUp(password: Buffer, done: number): Promise<void> {
    const now = settings()
    for (const dummy of dummies(now, done, deps.random)) await parse(dummy, now)!.matches(password)
  }

  return {
    hash(password, share) {
      const now = settings()
      const make = now.algorithm === 'argon2' ? hashArgon2 : hashBcrypt
      return run(async () => make(Buffer.from(password, 'utf8'), now, deps.random), share)
    },

    verify(password, hash, share) {
      const bytes = Buffer.from(password, 'utf8')
      const stored = parse(hash, settings())
      return run(async () => {
        const fits = stored !== undefined && (await stored.matches(bytes))
        if (!fits) await makeUp(bytes, stored?.work ?? 0)
        return fits
      }, share)
    },

    knows: (hash) => parse(hash, settings()) !== undefined,

    needsRehash(hash) {
      const now = settings()
      const stored = parse(hash, now)
      const wanted = now.algorithm === 'argon2' ? 'argon2id' : 'bcrypt'
      return stored?.family !== wanted || (stored.weakerThan?.(now) ?? false)
    },

    dummyVerify: (password, share) => run(() => makeUp(Buffer.from(password, 'utf8'), 0), share),
  }
}

/** Less than a sixteenth of the work cannot be told from noise. */
const NOISE = 1 / 16

function dummies(settings: HasherSettings, done: number, random: Random): string[] {
  if (settings.algorithm === 'bcrypt') return dummyBcrypt(settings, random, 2 ** bcryptCost(settings) - done)
  const missing = 1 - done / argon2Work(settings)
  return missing < NOISE ? [] : [dummyArgon2(settings, random, missing)]
}

function parse(hash: string, settings: HasherSettings): StoredHash | undefined {
  if (hash.length > MAX_HASH_LENGTH) return undefined
  for (const family of FAMILIES) {
    const stored = family(hash, settings)
    if (stored !== undefined) return stored
  }
  return undefined
}
