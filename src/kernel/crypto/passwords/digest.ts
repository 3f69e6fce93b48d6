import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { decodeBase64 } from '../base64.ts'
import { hmacMd4 } from './md4.ts'
import type { ParseHash, StoredHash } from './types.ts'

/**
 * Hashes without any cost, imported from other systems. They are supported so that people need not set a new password, and
 * replaced at the first login.
 */
const DIGEST_BYTES: Record<string, number> = { md5: 16, sha1: 20, sha256: 32, sha512: 64 }

/** More than any system joins a password with itself. */
const MAX_TIMES = 8

/** `$sha256$pf=<template>$salt$hash` and `$md5$pf=…`, padded base64; the template says how salt and password are joined. */
export const parseTemplateDigest: ParseHash = (text) => {
  const m = /^\$(sha1|sha256|sha512|md5)\$pf=([^$]+)\$([^$]*)\$([^$]+)$/.exec(text)
  if (!m) return undefined
  const [template, salt, expected] = m.slice(2, 5).map((part) => decodeBase64(part, 'padded'))
  if (!template || !salt || !expected) return undefined
  const pieces = template.toString('latin1').split(/(\{SALT\}|\{PASSWORD\})/)
  // Without the password in it, a template would accept every password; with it a hundred times, a long one takes 40 MB.
  const times = pieces.filter((piece) => piece === '{PASSWORD}').length
  if (times === 0 || times > MAX_TIMES) return undefined
  return digest(m[1]!, expected, (password) =>
    Buffer.concat(
      pieces.map((piece) =>
        piece === '{SALT}' ? salt : piece === '{PASSWORD}' ? password : Buffer.from(piece, 'latin1'),
      ),
    ),
  )
}

/** `$md5$<hash>`: the password alone, padded base64. */
export const parsePlainMd5: ParseHash = (text) => {
  const m = /^\$md5\$([^$]+)$/.exec(text)
  const expected = m ? decodeBase64(m[1]!, 'padded') : undefined
  return expected && digest('md5', expected, (password) => password)
}

/** `{SSHA}`, `{SSHA256}`, `{SSHA512}` of LDAP: base64 of the digest of password and salt, then the salt. */
export const parseSaltedSha: ParseHash = (text) => {
  const m = /^\{SSHA(256|512)?\}(.+)$/.exec(text)
  const decoded = m ? decodeBase64(m[2]!, 'padded') : undefined
  if (!m || !decoded) return undefined
  const algorithm = `sha${m[1] ?? '1'}`
  const length = DIGEST_BYTES[algorithm]!
  if (decoded.length <= length) return undefined
  const salt = decoded.subarray(length)
  return digest(algorithm, decoded.subarray(0, length), (password) => Buffer.concat([password, salt]))
}

/** `$hmac-sha256$hash$key`, padded base64, of which the hash is the hex text of the digest. */
export const parseHmac: ParseHash = (text) => {
  const m = /^\$hmac-(md4|md5|sha1|sha224|sha256|sha384|sha512)\$([^$]+)\$([^$]*)$/.exec(text)
  if (!m) return undefined
  const algorithm = m[1]!
  const expected = decodeBase64(m[2]!, 'padded')
  const key = decodeBase64(m[3]!, 'padded')
  if (!expected || !key) return undefined
  return {
    family: 'hmac',
    work: 0,
    matches: async (password) => {
      const sum = algorithm === 'md4' ? hmacMd4(key, password) : createHmac(algorithm, key).update(password).digest()
      return equal(Buffer.from(sum.toString('hex')), expected)
    },
  }
}

function digest(algorithm: string, expected: Buffer, input: (password: Buffer) => Buffer): StoredHash | undefined {
  if (expected.length !== DIGEST_BYTES[algorithm]) return undefined
  return {
    family: algorithm,
    work: 0,
    matches: async (password) => equal(createHash(algorithm).update(input(password)).digest(), expected),
  }
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
