import type { ScryptOptions } from 'node:crypto'
import { createCipheriv, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { decodeBase64 } from '../base64.ts'
import type { ParseHash } from './types.ts'

const derivePbkdf2 = promisify(pbkdf2)
const deriveScrypt = promisify<Buffer, Buffer, number, ScryptOptions, Buffer>(scrypt)

/** Shorter ones would match many passwords, an empty one all of them. Longer ones only cost. Bytes. */
const KEY_LENGTH = { min: 8, max: 512 }
/** Ten times the strongest published advice, some seconds. Each block of the key takes all of them: 512 bytes of SHA-1 took two minutes. */
const MAX_PBKDF2_ITERATIONS = 10_000_000
const MAX_SCRYPT_MEMORY = 256 * 1024 * 1024
/** memory times lanes, which OpenSSL computes one after the other */
const MAX_SCRYPT_WORK = 8 * MAX_SCRYPT_MEMORY

/** Kratos has always used SHA-3 for sha224 and sha384 here. */
const PBKDF2_DIGEST: Record<string, string> = {
  '1': 'sha1',
  '224': 'sha3-224',
  '256': 'sha256',
  '384': 'sha3-384',
  '512': 'sha512',
}
/** Iterations in the time of one round of bcrypt. A key longer than the digest takes all of them for each further block. */
const PBKDF2_ITERATIONS_OF_ONE_ROUND: Record<string, number> = {
  sha1: 200,
  'sha3-224': 45,
  sha256: 160,
  'sha3-384': 45,
  sha512: 110,
}
const PBKDF2_DIGEST_BYTES: Record<string, number> = { sha1: 20, 'sha3-224': 28, sha256: 32, 'sha3-384': 48, sha512: 64 }

/** `$pbkdf2-sha256$i=<iterations>,l=<length>$salt$hash`, unpadded base64. The length is that of the hash, whatever `l` says. */
export const parsePbkdf2: ParseHash = (text) => {
  const m = /^\$pbkdf2-sha(\d{1,3})\$i=(\d{1,8}),l=\d{1,10}\$([^$]*)\$([^$]+)$/.exec(text)
  const digest = PBKDF2_DIGEST[m?.[1] ?? '']
  if (!m || digest === undefined) return undefined
  const iterations = Number(m[2])
  const salt = decodeBase64(m[3]!, 'raw')
  const key = decodeBase64(m[4]!, 'raw')
  if (salt === undefined || !isKey(key)) return undefined
  const computed = iterations * Math.ceil(key.length / PBKDF2_DIGEST_BYTES[digest]!)
  if (iterations < 1 || computed > MAX_PBKDF2_ITERATIONS) return undefined
  return {
    family: 'pbkdf2',
    work: computed / PBKDF2_ITERATIONS_OF_ONE_ROUND[digest]!,
    matches: async (password) =>
      timingSafeEqual(await derivePbkdf2(password, salt, iterations, key.length, digest), key),
  }
}

/** `$scrypt$ln=<N>,r=,p=$salt$hash`, padded base64. Unlike elsewhere, ln is N itself and not its logarithm. */
export const parseScrypt: ParseHash = (text) => {
  const m = /^\$scrypt\$ln=(\d{1,9}),r=(\d{1,5}),p=(\d{1,5})\$([^$]*)\$([^$]+)$/.exec(text)
  const options = m && scryptOptions(Number(m[1]), Number(m[2]), Number(m[3]))
  const salt = m && decodeBase64(m[4]!, 'padded')
  const key = m ? decodeBase64(m[5]!, 'padded') : undefined
  if (!options || !salt || !isKey(key)) return undefined
  return {
    family: 'scrypt',
    work: scryptWork(options),
    matches: async (password) => timingSafeEqual(await deriveScrypt(password, salt, key.length, options), key),
  }
}

/**
 * Firebase: `$firescrypt$ln=<log2 N>,r=,p=$salt$hash$salt separator$signer key`, padded base64.
 * The derived key encrypts the project's signer key; the result is the hash.
 */
export const parseFirebaseScrypt: ParseHash = (text) => {
  const m = /^\$firescrypt\$ln=(\d{1,2}),r=(\d{1,5}),p=(\d{1,5})\$([^$]*)\$([^$]+)\$([^$]*)\$([^$]+)$/.exec(text)
  const options = m && scryptOptions(2 ** Number(m[1]), Number(m[2]), Number(m[3]))
  if (!m || !options) return undefined
  const [salt, expected, separator, signer] = m.slice(4, 8).map((part) => decodeBase64(part, 'padded'))
  if (!salt || !separator || !isKey(expected) || signer?.length !== expected.length) return undefined
  const salted = Buffer.concat([salt, separator])
  return {
    family: 'firescrypt',
    work: scryptWork(options),
    matches: async (password) => {
      const key = await deriveScrypt(password, salted, 32, options)
      const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
      return timingSafeEqual(Buffer.concat([cipher.update(signer), cipher.final()]), expected)
    },
  }
}

interface ScryptCosts {
  N: number
  r: number
  p: number
  /** bytes */
  maxmem: number
}

function scryptOptions(N: number, r: number, p: number): ScryptCosts | undefined {
  const memory = 128 * N * r
  if (N < 2 || !Number.isInteger(Math.log2(N)) || r < 1 || p < 1) return undefined
  if (memory > MAX_SCRYPT_MEMORY || memory * p > MAX_SCRYPT_WORK) return undefined
  // OpenSSL counts the lanes too, and refuses above 32 MiB unless told otherwise.
  return { N, r, p, maxmem: memory + 128 * r * p + 1024 * 1024 }
}

/** In rounds of bcrypt. */
function scryptWork({ N, r, p }: ScryptCosts): number {
  return (N * r * p) / 135
}

function isKey(key: Buffer | undefined): key is Buffer {
  return key !== undefined && key.length >= KEY_LENGTH.min && key.length <= KEY_LENGTH.max
}
