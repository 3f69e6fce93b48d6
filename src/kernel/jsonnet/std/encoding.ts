import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Machine } from '../machine.ts'
import { force, JsonnetArray, typeOf, type Value } from '../values.ts'
import { arrayOf, asArray, asInteger, asText, type Library, strict } from './kit.ts'

const hash = (algorithm: string) =>
  strict(['s'], (machine, text) => {
    machine.spendText(asText(machine, text).length * 2)
    return createHash(algorithm).update(asText(machine, text)).digest('hex')
  })

function byte(machine: Machine, value: number): number {
  if (value >= 0 && value <= 255) return value
  throw machine.fail(`base64 encountered invalid codepoint value in the array (must be 0 <= X <= 255), got ${value}`)
}

function base64(machine: Machine, input: Value): string {
  if (typeof input === 'string') {
    machine.spendText(input.length * 2)
    for (const point of input) byte(machine, point.codePointAt(0)!)
    return Buffer.from(input).toString('base64')
  }
  if (!(input instanceof JsonnetArray))
    throw machine.fail(`base64 can only base64 encode strings / arrays of single bytes, got ${typeOf(input)}`)
  machine.spendItems(input.items.length)
  const bytes = input.items.map((item) => {
    const value = force(item)
    if (typeof value !== 'number')
      throw machine.fail(`base64 encountered a non-integer value in the array, got ${typeOf(value)}`)
    return byte(machine, asInteger(machine, value))
  })
  return Buffer.from(bytes).toString('base64')
}

function fromBase64(machine: Machine, input: Value): Buffer {
  if (typeof input !== 'string') throw machine.fail(`base64DecodeBytes requires a string, got ${typeOf(input)}`)
  machine.spendText(input.length)
  // line breaks are no part of it, but they count for the length
  const length = Buffer.byteLength(input)
  if (length % 4 !== 0)
    throw machine.fail(`input string appears not to be a base64 encoded string. Wrong length found (${length})`)
  const digits = input.replace(/[\r\n]/g, '')
  if (digits.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(digits))
    throw machine.fail('failed to decode: illegal base64 data')
  return Buffer.from(digits, 'base64')
}

/** Bytes that are no UTF-8 become replacement characters, one for each byte. */
function textOf(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes).toString('utf8')
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at]!
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    const point = bytes.subarray(at, at + length)
    const valid = isUtf8(point)
    text += valid ? Buffer.from(point).toString('utf8') : '\ufffd'
    at += valid ? length : 1
  }
  return text
}

export const encoding: Library = {
  md5: hash('md5'),
  sha1: hash('sha1'),
  sha256: hash('sha256'),
  sha512: hash('sha512'),
  sha3: hash('sha3-512'),
  base64: strict(['input'], base64),
  base64DecodeBytes: strict(['str'], (machine, input) => arrayOf(machine, [...fromBase64(machine, input)])),
  base64Decode: strict(['str'], (machine, input) => textOf(fromBase64(machine, input))),
  encodeUTF8: strict(['str'], (machine, text) => arrayOf(machine, [...Buffer.from(asText(machine, text))])),
  decodeUTF8: strict(['arr'], (machine, value) => {
    const { items } = asArray(machine, value)
    machine.spendItems(items.length)
    const bytes = items.map((item) => {
      const number = asInteger(machine, force(item))
      if (number < 0 || number > 255) throw machine.fail(`Bytes must be integers in range [0, 255], got ${number}`)
      return number
    })
    return textOf(Uint8Array.from(bytes))
  }),
}
