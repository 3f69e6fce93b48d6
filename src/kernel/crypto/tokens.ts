import { createHash, createHmac, hash, timingSafeEqual } from 'node:crypto'

export type Random = (bytes: number) => Buffer

/** How session tokens are stored: hashed in owned databases, plain where Kratos must read them too. */
export type TokenMode = 'sha256' | 'plain' | 'hardening'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const LENGTH = 32
/** The largest multiple of 62 in a byte. Bytes from here up are dropped: modulo would favour eight of the letters. */
const FAIR = 248
/** Tells a hash from a token in the database. */
const HASHED = 's2_'

/** `ory_st_` and 32 letters or digits: 190 bits. */
export function newSessionToken(random: Random): string {
  return `ory_st_${letters(() => random(48))}`
}

/** `ory_lo_` and 32 letters or digits. Only where logout tokens are stored; see `derivedLogoutToken`. */
export function newLogoutToken(random: Random): string {
  return `ory_lo_${letters(() => random(48))}`
}

/**
 * The logout token of a session, computed instead of stored: read access to the database does not allow signing people
 * out. The letters come from HMAC-SHA-512 blocks by the same rejection rule as random ones, so without bias.
 */
export function derivedLogoutToken(serverSecret: Uint8Array, sessionId: string): string {
  let block = 0
  return `ory_lo_${letters(() => createHmac('sha512', serverSecret).update(`logout|${block++}|${sessionId}`).digest())}`
}

/**
 * The value for the columns `sessions.token`, which hold 39 characters: `s2_` and 216 of the 256 bits of SHA-256.
 * Tokens have 190 bits, so neither the cut nor the missing salt helps an attacker to find one. The prefix keeps a stolen
 * row from being used as a token, and tells the two modes apart in the database.
 */
export function storedToken(token: string, mode: TokenMode): string {
  if (mode === 'plain') return token
  return `${HASHED}${hash('sha256', token, 'buffer').subarray(0, 27).toString('base64url')}`
}

/**
 * The forms in which a token may be stored where Kratos shares the table: plain, or hashed since the
 * operator has stopped Kratos. A text that looks like a hash is looked up as a token only, so that a stolen row is of no use.
 */
export function storedForms(token: string): readonly string[] {
  const hashed = storedToken(token, 'sha256')
  return token.startsWith(HASHED) ? [hashed] : [token, hashed]
}

/** The value of the column for a derived logout token: unique, 39 characters at most, and no secret. */
export function logoutPlaceholder(sessionId: string): string {
  return `lo_${sessionId.replaceAll('-', '')}`
}

/** Lower-case hex SHA-256 of the UTF-8 text. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/** Compares secrets of any length; time depends on the lengths only. */
export function safeEqual(a: string, b: string): boolean {
  return timingSafeEqual(
    createHash('sha256').update(a, 'utf8').digest(),
    createHash('sha256').update(b, 'utf8').digest(),
  )
}

function letters(nextBytes: () => Buffer): string {
  let text = ''
  while (text.length < LENGTH) {
    for (const byte of nextBytes()) {
      if (byte < FAIR && text.length < LENGTH) text += ALPHABET[byte % ALPHABET.length]
    }
  }
  return text
}
