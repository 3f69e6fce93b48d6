import { createHmac, timingSafeEqual } from 'node:crypto'
import { normaliseIdentifier } from '../../identities/normalise.ts'
import { type Clock, SECOND } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'

/** A browser's cookie for the accounts that it has signed in to, so that guesses of others do not lock it out of them. */
export interface KnownBrowsers {
  /** the browser's number, if its cookie says that it has signed in with this identifier */
  of(cookie: string | undefined, identifier: string): string | undefined
  /** the cookie after one more sign-in */
  add(cookie: string | undefined, identifier: string): string
}

const ID_BYTES = 16
const TAG_BYTES = 16
const DAY_BYTES = 4
const ENTRY_BYTES = DAY_BYTES + TAG_BYTES
/** Beyond, the account with the oldest sign-in is dropped. */
const MAX_ACCOUNTS = 8
const MAX_LENGTH = Math.ceil(((ID_BYTES + MAX_ACCOUNTS * ENTRY_BYTES) * 4) / 3)
export const KNOWN_BROWSER_DAYS = 180

/**
 * A cookie of a random number and, for each account, the day and an HMAC of number, day and identifier: it can be neither
 * forged nor read, and needs no store.
 */
export function createKnownBrowsers(d: { serverSecret: Uint8Array; clock: Clock; random: Random }): KnownBrowsers {
  const today = () => Math.floor(d.clock.now() / (86_400 * SECOND))
  const tag = (id: Buffer, day: Buffer, identifier: string) =>
    createHmac('sha256', d.serverSecret)
      .update('known-browser\0')
      .update(id)
      .update(day)
      .update(normaliseIdentifier(identifier))
      .digest()
      .subarray(0, TAG_BYTES)
  const dayOf = (entry: Buffer) => entry.subarray(0, DAY_BYTES)

  function isFor(id: Buffer, entry: Buffer, identifier: string): boolean {
    return timingSafeEqual(entry.subarray(DAY_BYTES), tag(id, dayOf(entry), identifier))
  }
  function isRecent(entry: Buffer): boolean {
    const age = today() - dayOf(entry).readUInt32BE()
    return age >= 0 && age <= KNOWN_BROWSER_DAYS
  }

  return {
    of(cookie, identifier) {
      const { id, entries } = read(cookie)
      if (id === undefined || !entries.some((entry) => isRecent(entry) && isFor(id, entry, identifier)))
        return undefined
      return id.toString('hex')
    },
    add(cookie, identifier) {
      const { id = d.random(ID_BYTES), entries } = read(cookie)
      const others = entries.filter((entry) => isRecent(entry) && !isFor(id, entry, identifier))
      const day = Buffer.alloc(DAY_BYTES)
      day.writeUInt32BE(today())
      const all = [Buffer.concat([day, tag(id, day, identifier)]), ...others].slice(0, MAX_ACCOUNTS)
      return Buffer.concat([id, ...all]).toString('base64url')
    },
  }
}

function read(cookie: string | undefined): { id?: Buffer; entries: Buffer[] } {
  if (cookie === undefined || cookie.length > MAX_LENGTH) return { entries: [] }
  const bytes = Buffer.from(cookie, 'base64url')
  const count = (bytes.length - ID_BYTES) / ENTRY_BYTES
  if (count < 0 || !Number.isInteger(count)) return { entries: [] }
  const entries = Array.from({ length: count }, (_, i) => {
    const start = ID_BYTES + i * ENTRY_BYTES
    return bytes.subarray(start, start + ENTRY_BYTES)
  })
  return { id: bytes.subarray(0, ID_BYTES), entries }
}
