import { createCipheriv, createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Micros } from '../../base/clock.ts'
import { SECOND } from '../../base/clock.ts'
import { decodeBase64, encodeBase64 } from '../base64.ts'
import { decodeGobMap, encodeGobMap } from './gob.ts'

/** Characters. Kratos's reader refuses more, and browsers drop cookies beyond this. */
export const MAX_COOKIE_LENGTH = 4096
/** The oldest that a cookie without an expiry may be. @see Kratos gorilla/sessions default MaxAge */
export const BROWSER_SESSION_MAX_AGE_SECONDS = 2_592_000

const IV_BYTES = 16

export interface EncodeOptions {
  /** the cookie's name is authenticated, so a value cannot be moved to another cookie */
  name: string
  values: Readonly<Record<string, string>>
  /** the first one writes */
  secrets: readonly string[]
  /** see {@link keysOf} */
  pairs?: boolean
  now: Micros
  random: (bytes: number) => Buffer
}

export interface DecodeOptions {
  name: string
  value: string
  /** all of them read, in this order */
  secrets: readonly string[]
  /** see {@link keysOf} */
  pairs?: boolean
  now: Micros
  /** 0 means unlimited */
  maxAgeSeconds: number
}

export interface OpenedCookie {
  /** unix seconds of writing; may lie in the future */
  timestamp: number
  values: Record<string, string>
}

/**
 * Writes a value that Kratos v26.2.0 reads:
 * base64url( seconds | base64url(iv + AES-256-CTR(gob)) | HMAC-SHA-256 of name and the two fields before ).
 *
 * @throws Error when there is no secret or the result exceeds `MAX_COOKIE_LENGTH`
 */
export function encodeSecureCookie(opts: EncodeOptions): string {
  const keys = keysOf(opts)[0]
  if (keys === undefined) throw new Error('no cookie secret: set secrets.cookie or secrets.default')
  const payload = encodeBase64(seal(encodeGobMap(opts.values), keys.block, opts.random), 'url')
  const signed = `${Math.floor(opts.now / SECOND)}|${payload}`
  const value = encodeBase64(Buffer.concat([Buffer.from(`${signed}|`), mac(keys.secret, opts.name, signed)]), 'url')
  if (value.length > MAX_COOKIE_LENGTH) {
    throw new Error(
      `cookie ${opts.name} would have ${value.length} characters, at most ${MAX_COOKIE_LENGTH} are possible`,
    )
  }
  return value
}

/** The entries of a value that is authentic and young enough, otherwise undefined. Never throws. */
export function decodeSecureCookie(opts: DecodeOptions): Record<string, string> | undefined {
  return openSecureCookie(opts)?.values
}

/** As `decodeSecureCookie`, with the time of writing. */
export function openSecureCookie(opts: DecodeOptions): OpenedCookie | undefined {
  if (opts.value.length > MAX_COOKIE_LENGTH) return undefined
  const parts = split(opts.value)
  if (parts === undefined) return undefined
  for (const keys of keysOf(opts)) {
    const opened = open(parts, keys, opts)
    if (opened !== undefined) return opened
  }
  return undefined
}

/** Only the age can differ between two readings of the same value under the same secrets. */
export function isYoungEnough(timestamp: number, opts: Pick<DecodeOptions, 'now' | 'maxAgeSeconds'>): boolean {
  return opts.maxAgeSeconds === 0 || timestamp >= Math.floor(opts.now / SECOND) - opts.maxAgeSeconds
}

interface Parts {
  timestamp: string
  payload: string
  mac: Buffer
}

/** The MAC is raw bytes and may hold a bar itself, so only the first two bars separate. */
function split(value: string): Parts | undefined {
  const raw = decodeBase64(value, 'url')
  const first = raw?.indexOf(0x7c) ?? -1
  if (raw === undefined || first < 0) return undefined
  const second = raw.indexOf(0x7c, first + 1)
  if (second < 0) return undefined
  return {
    timestamp: raw.toString('latin1', 0, first),
    payload: raw.toString('latin1', first + 1, second),
    mac: raw.subarray(second + 1),
  }
}

function open(parts: Parts, { secret, block }: Keys, opts: DecodeOptions): OpenedCookie | undefined {
  const expected = mac(secret, opts.name, `${parts.timestamp}|${parts.payload}`)
  if (parts.mac.length !== expected.length || !timingSafeEqual(parts.mac, expected)) return undefined
  if (!/^[+-]?\d{1,15}$/.test(parts.timestamp)) return undefined
  const timestamp = Number(parts.timestamp)
  if (!isYoungEnough(timestamp, opts)) return undefined
  const sealed = decodeBase64(parts.payload, 'url')
  if (sealed === undefined || sealed.length <= IV_BYTES) return undefined
  const values = decodeGobMap(unseal(sealed, block))
  return values && { timestamp, values }
}

interface Keys {
  secret: string
  /** none: the value is signed only */
  block: Buffer | undefined
}

/**
 * Each secret signs and, as its digest, encrypts. In `pairs`, as Kratos reads the list for its continuity cookie, the first
 * secret signs and the second encrypts as it is; the last of an odd number signs only.
 */
function keysOf({ secrets, pairs }: Pick<DecodeOptions, 'secrets' | 'pairs'>): Keys[] {
  if (pairs !== true) return secrets.map((secret) => ({ secret, block: blockKey(secret) }))
  return secrets.flatMap((secret, i) => (i % 2 === 1 ? [] : [{ secret, block: pairedKey(secrets[i + 1]) }]))
}

/** A secret that is not a key of AES makes Kratos fail; here its digest is used. */
function pairedKey(secret: string | undefined): Buffer | undefined {
  if (secret === undefined) return undefined
  const raw = Buffer.from(secret, 'utf8')
  return [16, 24, 32].includes(raw.length) ? raw : blockKey(secret)
}

const cipherOf = (block: Buffer) => `aes-${block.length * 8}-ctr`

function seal(plain: Buffer, block: Buffer | undefined, random: EncodeOptions['random']): Buffer {
  if (block === undefined) return plain
  const iv = random(IV_BYTES)
  const cipher = createCipheriv(cipherOf(block), block, iv)
  return Buffer.concat([iv, cipher.update(plain), cipher.final()])
}

function unseal(sealed: Buffer, block: Buffer | undefined): Buffer {
  if (block === undefined) return sealed
  const cipher = createDecipheriv(cipherOf(block), block, sealed.subarray(0, IV_BYTES))
  return Buffer.concat([cipher.update(sealed.subarray(IV_BYTES)), cipher.final()])
}

/** Secrets are of any length, so AES gets their digest. The MAC uses the secret itself. */
function blockKey(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest()
}

function mac(secret: string, name: string, signed: string): Buffer {
  return createHmac('sha256', secret).update(name, 'utf8').update('|').update(signed, 'latin1').digest()
}
