import { createHash, timingSafeEqual } from 'node:crypto'
import { decodeBase64, encodeBase64 } from './base64.ts'

const SECRET_BYTES = 32

/** A new value for the CSRF cookie: 32 random bytes in base64, 44 characters. */
export function newCsrfSecret(random: (bytes: number) => Buffer): string {
  return encodeBase64(random(SECRET_BYTES), 'padded')
}

/** Whether a cookie value is usable; any other is replaced by a new one. */
export function isCsrfCookieValue(value: string | undefined): value is string {
  return secretOf(value) !== undefined
}

/**
 * A token for a form: mask, then mask xor secret, 88 characters. New at every answer, so that a compressed page which
 * also reflects input does not reveal the secret byte by byte (BREACH).
 *
 * @throws Error unless `isCsrfCookieValue(cookieValue)`
 */
export function maskCsrf(cookieValue: string, random: (bytes: number) => Buffer): string {
  const secret = secretOf(cookieValue)
  if (secret === undefined) throw new Error('the CSRF cookie must be 32 bytes in base64: make one with newCsrfSecret')
  const mask = random(SECRET_BYTES)
  return encodeBase64(Buffer.concat([mask, xor(mask, secret)]), 'padded')
}

/**
 * Whether the token belongs to the cookie; false for anything malformed or absent. Constant time.
 * @param opts.maskedOnly refuse the bare 32 bytes, which flow submits accept and the header check does not
 */
export function verifyCsrf(
  cookieValue: string | undefined,
  token: string | undefined,
  opts: { maskedOnly?: boolean } = {},
): boolean {
  const secret = secretOf(cookieValue)
  const sent = token === undefined ? undefined : unmask(decodeBase64(token, 'padded'), opts.maskedOnly ?? false)
  return secret !== undefined && sent !== undefined && timingSafeEqual(secret, sent)
}

/** Whether two tokens of forms belong to one cookie, whatever that is by now; false for anything malformed. */
export function sameCsrf(token: string, other: string): boolean {
  const [a, b] = [token, other].map((text) => unmask(decodeBase64(text, 'padded'), true))
  return a !== undefined && b !== undefined && timingSafeEqual(a, b)
}

/** The cookie's name in Kratos: a hash of `serve.public.base_url` exactly as configured, without any normalisation. */
export function csrfCookieName(baseUrl: string): string {
  return `csrf_token_${createHash('sha256').update(baseUrl, 'utf8').digest('hex')}`
}

function secretOf(cookieValue: string | undefined): Buffer | undefined {
  const bytes = cookieValue === undefined ? undefined : decodeBase64(cookieValue, 'padded')
  return bytes?.length === SECRET_BYTES ? bytes : undefined
}

function unmask(token: Buffer | undefined, maskedOnly: boolean): Buffer | undefined {
  if (token?.length === 2 * SECRET_BYTES) return xor(token.subarray(0, SECRET_BYTES), token.subarray(SECRET_BYTES))
  return token?.length === SECRET_BYTES && !maskedOnly ? token : undefined
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ b[i]!))
}
