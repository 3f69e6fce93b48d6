import { createHash } from 'node:crypto'
import { type Func, func } from './signature.ts'

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

const text = (call: (of: string) => string) => func('string', ([of]: readonly [string]) => call(of))

const hash = (algorithm: string) => text((of) => createHash(algorithm).update(of).digest('hex'))

export const ENCODINGS: Record<string, Func> = {
  b64enc: text((of) => Buffer.from(of).toString('base64')),
  b64dec: text((of) => decodeBase64(of)?.toString('utf8') ?? 'illegal base64 data at input byte 0'),
  b32enc: text(encodeBase32),
  b32dec: text((of) => decodeBase32(of) ?? 'illegal base32 data at input byte 0'),
  sha1sum: hash('sha1'),
  sha256sum: hash('sha256'),
  sha512sum: hash('sha512'),
  adler32sum: text((of) => String(adler32(Buffer.from(of)))),
}

/** Base64 with its padding; line breaks in it do not count. */
export function decodeBase64(of: string): Buffer | undefined {
  const text = of.replace(/[\r\n]/g, '')
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return Buffer.from(text, 'base64')
}

function encodeBase32(of: string): string {
  let [out, bits, count] = ['', 0, 0]
  for (const byte of Buffer.from(of)) {
    bits = ((bits << 8) | byte) & 0xffff
    for (count += 8; count >= 5; count -= 5) out += BASE32[(bits >> (count - 5)) & 31]
  }
  if (count > 0) out += BASE32[(bits << (5 - count)) & 31]
  return out.padEnd(Math.ceil(out.length / 8) * 8, '=')
}

function decodeBase32(of: string): string | undefined {
  const text = of.replace(/[\r\n]/g, '')
  if (text.length % 8 !== 0 || !/^[A-Z2-7]*={0,6}$/.test(text)) return undefined
  const bytes: number[] = []
  let [bits, count] = [0, 0]
  let end = text.length
  while (text[end - 1] === '=') end -= 1
  for (const char of text.slice(0, end)) {
    bits = ((bits << 5) | BASE32.indexOf(char)) & 0xffff
    count += 5
    if (count < 8) continue
    count -= 8
    bytes.push((bits >> count) & 255)
  }
  return Buffer.from(bytes).toString('utf8')
}

function adler32(bytes: Buffer): number {
  let [a, b] = [1, 0]
  for (const byte of bytes) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return b * 65536 + a
}
