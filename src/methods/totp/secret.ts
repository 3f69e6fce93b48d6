import { Secret } from 'otpauth'
import type { Random } from '../../kernel/crypto/tokens.ts'

const SECRET_BYTES = 20
/** Bytes of a name in the URL. Longer ones make a QR code that phones cannot read, and in the end none at all. */
const MAX_NAME = 120

export const newSecret = (random: Random): string => new Secret({ buffer: toArrayBuffer(random(SECRET_BYTES)) }).base32

/**
 * The URL for an authenticator app, which is also stored. Later only `secret` counts, whatever else it says.
 * @see https://github.com/google/google-authenticator/wiki/Key-Uri-Format
 */
export function totpUrl(app: { issuer: string; account: string; secret: string }): string {
  const [issuer, account] = [encodedName(app.issuer), encodedName(app.account)]
  return `otpauth://totp/${inPath(issuer)}:${inPath(account)}?algorithm=SHA1&digits=6&issuer=${issuer}&period=30&secret=${app.secret}`
}

/** As Go writes a path: fewer characters are escaped than in a query. */
const inPath = (encoded: string) => encoded.replaceAll(/%(24|26|2B|2C|2F|3A|3B|3D|40)/g, decodeURIComponent)

/** The name as far as it fits, in whole characters. */
function encodedName(name: string): string {
  let encoded = ''
  for (const character of name.toWellFormed()) {
    const longer = encoded + encodeURIComponent(character)
    if (longer.length > MAX_NAME) break
    encoded = longer
  }
  return encoded
}

/** Secrets of other programs may be longer; beyond, it is not the secret of an app. */
const MAX_SECRET = 512
/** One letter alone is less than a byte: an empty key. */
const BASE32 = /^[A-Za-z2-7]{2,}=*$/

/** The secret of a stored URL. An empty one would accept codes that anyone can compute: it counts as none. */
export function secretOf(url: unknown): string | undefined {
  if (typeof url !== 'string' || !url.startsWith('otpauth://')) return undefined
  const secret = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('secret') ?? ''
  return secret.length <= MAX_SECRET && BASE32.test(secret) ? secret : undefined
}

const toArrayBuffer = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer
