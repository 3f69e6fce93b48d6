import { timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { Options } from '@node-rs/argon2'
import { decodeBase64, encodeBase64 } from '../base64.ts'
import type { Random } from '../tokens.ts'
import { nativeHashing } from './hashing-threads.ts'
import type { HasherSettings, ParseHash } from './types.ts'

/** Values of the library's const enum, which cannot be imported under `isolatedModules`. */
const ALGORITHM = { i: 1, id: 2 } as const
const MAX_FOREIGN_MEMORY_KIB = 1024 * 1024
/** Filling 116 KiB once takes as long as one round of bcrypt. */
const PASSES_OF_ONE_ROUND = 116
/** memory times passes: ten over 1 GiB, some seconds */
const MAX_FOREIGN_WORK = 10 * MAX_FOREIGN_MEMORY_KIB

type Costs = Required<Pick<Options, 'memoryCost' | 'timeCost' | 'parallelism'>>

function configured(settings: HasherSettings): Costs {
  const { memory, iterations, parallelism } = settings.argon2
  const lanes = Math.min(255, parallelism ?? 2 * availableParallelism())
  // The algorithm needs 8 KiB for each lane.
  return { memoryCost: Math.max(8 * lanes, Math.floor(memory / 1024)), timeCost: iterations, parallelism: lanes }
}

/** `$argon2id$v=19$m=<KiB>,t=,p=$salt$hash`, unpadded base64. */
export function hashArgon2(password: Buffer, settings: HasherSettings, random: Random): Promise<string> {
  const { salt_length, key_length } = settings.argon2
  const options = { ...configured(settings), outputLen: key_length, salt: random(salt_length) }
  return nativeHashing.argon2Hash(password, { ...options, algorithm: ALGORITHM.id })
}

/** The cost of the configured hash, in rounds of bcrypt. */
export const argon2Work = (settings: HasherSettings) => passes(configured(settings)) / PASSES_OF_ONE_ROUND

/**
 * A hash that matches no password; comparing with it costs as much as with a real one.
 * @param share of that cost, from 0 to 1, by less memory
 */
export function dummyArgon2(settings: HasherSettings, random: Random, share = 1): string {
  const { memoryCost: memory, timeCost, parallelism } = configured(settings)
  const memoryCost = Math.max(8 * parallelism, Math.round(memory * share))
  const parts = [random(settings.argon2.salt_length), random(settings.argon2.key_length)]
  const [salt, key] = parts.map((bytes) => encodeBase64(bytes, 'raw'))
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${key}`
}

/** argon2id and argon2i, version 19. Not supported: salts under 8 bytes and less than 8 KiB a lane, which the library refuses. */
export const parseArgon2: ParseHash = (text, settings) => {
  const m = /^\$argon2(id?)\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,3})\$([^$]+)\$([^$]+)$/.exec(text)
  if (!m) return undefined
  const costs = { memoryCost: Number(m[2]), timeCost: Number(m[3]), parallelism: Number(m[4]) }
  const salt = decodeBase64(m[5]!, 'raw')
  const key = decodeBase64(m[6]!, 'raw')
  if (salt === undefined || salt.length < 8 || key === undefined || key.length < 8) return undefined
  if (!withinBounds(costs, configured(settings))) return undefined
  const options = { ...costs, salt, outputLen: key.length, algorithm: ALGORITHM[m[1] as 'i' | 'id'] }
  return {
    family: `argon2${m[1]}`,
    work: passes(costs) / PASSES_OF_ONE_ROUND,
    weakerThan: (wanted) => passes(costs) < passes(configured(wanted)),
    matches: async (password) => timingSafeEqual(await nativeHashing.argon2Raw(password, options), key),
  }
}

function withinBounds(costs: Costs, own: Costs): boolean {
  const { memoryCost, timeCost, parallelism } = costs
  if (timeCost < 1 || parallelism < 1 || parallelism > 255 || memoryCost < 8 * parallelism) return false
  const memoryLimit = Math.max(MAX_FOREIGN_MEMORY_KIB, own.memoryCost)
  return memoryCost <= memoryLimit && passes(costs) <= Math.max(MAX_FOREIGN_WORK, passes(own))
}

/** KiB times passes; lanes are computed one after the other. */
function passes(costs: Costs): number {
  return costs.memoryCost * costs.timeCost
}
