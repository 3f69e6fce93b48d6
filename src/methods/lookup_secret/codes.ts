import { timingSafeEqual } from 'node:crypto'
import type { Json, JsonObject, StoredCredential } from '../../identities/types.ts'
import { formatTime, type Micros, SECOND } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'

export const LOOKUP_SECRET = 'lookup_secret'

/** A backup code as it is stored: in clear, in the format of Kratos. */
export interface RecoveryCode {
  code: string
  /** whole seconds */
  used_at: string | null
}

const COUNT = 12
const LENGTH = 8
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'
/** The largest multiple of 36 in a byte. */
const FAIR = 252

export function newCodes(random: Random): RecoveryCode[] {
  return Array.from({ length: COUNT }, () => ({ code: newCode(random), used_at: null }))
}

function newCode(random: Random): string {
  let code = ''
  while (code.length < LENGTH) {
    for (const byte of random(LENGTH)) if (byte < FAIR) code += ALPHABET[byte % ALPHABET.length]
  }
  return code.slice(0, LENGTH)
}

/** More than any program makes; a list without an end would be compared at every guess. */
const MAX_COUNT = 1000

/** The codes of a stored config. Invalid entries are left out: operators can write them. */
export function storedCodes(list: Json | undefined): RecoveryCode[] {
  if (!Array.isArray(list)) return []
  return list.slice(0, MAX_COUNT).flatMap((entry) => {
    const { code, used_at: usedAt } = Object(entry) as JsonObject
    if (typeof code !== 'string' || code === '') return []
    return [{ code, used_at: typeof usedAt === 'string' && !usedAt.startsWith('0001-') ? usedAt : null }]
  })
}

/** @returns `unread`: what is stored beyond the codes that are read, to be kept as it is */
export function codesOf(credentials: readonly Pick<StoredCredential, 'type' | 'config'>[]) {
  const config = credentials.find(({ type }) => type === LOOKUP_SECRET)?.config ?? {}
  const list = config.recovery_codes
  return { config, codes: storedCodes(list), unread: Array.isArray(list) ? list.slice(MAX_COUNT) : [] }
}

export const asJson = (codes: readonly RecoveryCode[]): Json[] => codes.map((code) => ({ ...code }))

export type Use = { kind: 'used'; codes: RecoveryCode[]; left: number } | { kind: 'usedBefore' } | { kind: 'wrong' }

/** Compares every code, so that the time does not tell which one a guess came close to. */
export function useCode(codes: readonly RecoveryCode[], given: string, now: Micros): Use {
  const at = codes.reduce((found, { code }, i) => (equal(code, given) ? i : found), -1)
  if (at === -1) return { kind: 'wrong' }
  if (codes[at]!.used_at !== null) return { kind: 'usedBefore' }
  const usedAt = formatTime(Math.floor(now / SECOND) * SECOND)
  const after = codes.map((one, i) => (i === at ? { ...one, used_at: usedAt } : one))
  return { kind: 'used', codes: after, left: after.filter(({ used_at }) => used_at === null).length }
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
