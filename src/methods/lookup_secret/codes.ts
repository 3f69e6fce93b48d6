import { timingSafeEqual } from 'node:crypto'
import { isObject, type Json, type JsonObject, type StoredCredential } from '../../identities/types.ts'
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
    return [{ code, used_at: usedAtOf(usedAt) }]
  })
}

/** Null for an unused code. A time in a form that is not known marks a used one: it must not pass again. */
function usedAtOf(stored: Json | undefined): string | null {
  if (typeof stored === 'string') return stored.startsWith('0001-') ? null : stored
  return stored === undefined || stored === null || stored === false ? null : ''
}

export function codesOf(credentials: readonly Pick<StoredCredential, 'type' | 'config'>[]) {
  const config = credentials.find(({ type }) => type === LOOKUP_SECRET)?.config ?? {}
  return { config, codes: storedCodes(config.recovery_codes) }
}

export const asJson = (codes: readonly RecoveryCode[]): Json[] => codes.map((code) => ({ ...code }))

export type Use = { kind: 'used'; code: string; usedAt: string } | { kind: 'usedBefore' } | { kind: 'wrong' }

/** Compares every code, so that the time does not tell which one a guess came close to. */
export function useCode(codes: readonly RecoveryCode[], given: string, now: Micros): Use {
  const at = codes.reduce((found, { code }, i) => (equal(code, given) ? i : found), -1)
  if (at === -1) return { kind: 'wrong' }
  if (codes[at]!.used_at !== null) return { kind: 'usedBefore' }
  return { kind: 'used', code: codes[at]!.code, usedAt: formatTime(Math.floor(now / SECOND) * SECOND) }
}

/**
 * The config with one code used up. Every code says when it was used, as Kratos writes it; whatever else another program has
 * stored stays as it is.
 */
export function withUsed(config: JsonObject, { code, usedAt }: { code: string; usedAt: string }): JsonObject {
  const list = Array.isArray(config.recovery_codes) ? config.recovery_codes : []
  const after = list.map((entry) => {
    if (!isObject(entry) || typeof entry.code !== 'string' || entry.code === '') return entry
    return { ...entry, used_at: entry.code === code ? usedAt : (entry.used_at ?? null) }
  })
  return { ...config, recovery_codes: after }
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
