import { availableParallelism } from 'node:os'
import type { Random } from '../tokens.ts'
import { dummyArgon2, hashArgon2, parseArgon2 } from './argon2.ts'
import { dummyBcrypt, hashBcrypt, parseBcrypt } from './bcrypt.ts'
import { parseMd5Crypt, parseShaCrypt } from './crypt.ts'
import { parseHmac, parsePlainMd5, parseSaltedSha, parseTemplateDigest } from './digest.ts'
import { parseFirebaseScrypt, parsePbkdf2, parseScrypt } from './kdf.ts'
import type { QueueLimits } from './queue.ts'
import { boundedQueue } from './queue.ts'
import type { Hasher, HasherSettings, ParseHash, StoredHash } from './types.ts'

export type { Hasher, HasherSettings } from './types.ts'
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

/** Some families are computed by libuv's threads, four by default, which also serve files and DNS: one is left to them. */
const DEFAULTS = { concurrency: 3, queue: 256 }

/** Characters. Bounds the length of keys and salts of every family; real hashes have a few hundred at most. */
const MAX_HASH_LENGTH = 2048

/**
 * Makes new hashes as configured and reads those of every family that Kratos imports.
 * @param settings read at each call, so that a reload counts at once
 */
export function createHasher(settings: () => HasherSettings, deps: { random: Random } & Partial<QueueLimits>): Hasher {
  const run = boundedQueue({
    concurrency: deps.concurrency ?? Math.min(DEFAULTS.concurrency, availableParallelism()),
    queue: deps.queue ?? DEFAULTS.queue,
    ...(deps.onLoad === undefined ? {} : { onLoad: deps.onLoad }),
  })

  /** Random letters in place of a digest: the work is that of a real comparison, and nothing has to be made before. */
  async function waste(password: Buffer): Promise<void> {
    const now = settings()
    const dummy = now.algorithm === 'argon2' ? dummyArgon2(now, deps.random) : dummyBcrypt(now, deps.random)
    await parse(dummy, now)!.matches(password)
  }

  return {
    hash(password) {
      const now = settings()
      const make = now.algorithm === 'argon2' ? hashArgon2 : hashBcrypt
      return run(async () => make(Buffer.from(password, 'utf8'), now, deps.random))
    },

    verify(password, hash) {
      const bytes = Buffer.from(password, 'utf8')
      const stored = parse(hash, settings())
      return run(async () => {
        const fits = stored !== undefined && (await stored.matches(bytes))
        if (!fits && (stored === undefined || stored.cheap)) await waste(bytes)
        return fits
      })
    },

    knows: (hash) => parse(hash, settings()) !== undefined,

    needsRehash(hash) {
      const now = settings()
      const stored = parse(hash, now)
      const wanted = now.algorithm === 'argon2' ? 'argon2id' : 'bcrypt'
      return stored?.family !== wanted || (stored.weakerThan?.(now) ?? false)
    },

    waste: (password) => run(() => waste(Buffer.from(password, 'utf8'))),
  }
}

function parse(hash: string, settings: HasherSettings): StoredHash | undefined {
  if (hash.length > MAX_HASH_LENGTH) return undefined
  for (const family of FAMILIES) {
    const stored = family(hash, settings)
    if (stored !== undefined) return stored
  }
  return undefined
}
