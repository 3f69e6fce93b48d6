import { createCipheriv, createDecipheriv, createHmac, scryptSync } from 'node:crypto'
import { hashSync } from '@node-rs/bcrypt'
import { FunctionError } from '../errors.ts'
import type { Int } from '../values.ts'
import { decodeBase64 } from './encodings.ts'
import { derivedPassword } from './master-password.ts'
import { type Func, func, type Runtime } from './signature.ts'

/** Work of a slow hash, in steps: a message may have a few, not thousands. */
const SLOW_HASH = 200_000

const unavailable = (signature: string) =>
  func(signature, () => {
    throw new FunctionError('keys and certificates are not made in messages')
  })

/** @see https://masterminds.github.io/sprig/crypto.html */
export const SECRETS: Record<string, Func> = {
  bcrypt: func('string', ([text]: readonly [string], runtime) => bcrypt(text, runtime)),
  htpasswd: func('string, string', ([user, password]: readonly [string, string], runtime) =>
    user.includes(':') ? `invalid username: ${user}` : `${user}:${bcrypt(password, runtime)}`,
  ),
  encryptAES: func('string, string', ([password, text]: readonly [string, string]) => encrypt(password, text)),
  decryptAES: func('string, string', ([password, text]: readonly [string, string]) => decrypt(password, text)),
  derivePassword: func(
    'uint32, string, string, string, string',
    ([counter, type, password, user, site]: readonly [Int, string, string, string, string], { budget }) => {
      budget.step(SLOW_HASH)
      return derivedPassword(Number(counter.n), type, user, site, {
        key: (salt) => scryptSync(password, salt, 64, { N: 32768, r: 8, p: 2, maxmem: 128 * 1024 * 1024 }),
        seed: (key, message) => createHmac('sha256', key).update(message).digest(),
      })
    },
  ),
  genPrivateKey: unavailable('string'),
  buildCustomCert: unavailable('string, string'),
  genCA: unavailable('string, int'),
  genCAWithKey: unavailable('string, int, string'),
  genSelfSignedCert: unavailable('string, list, list, int'),
  genSelfSignedCertWithKey: unavailable('string, list, list, int, string'),
  genSignedCert: unavailable('string, list, list, int, any'),
  genSignedCertWithKey: unavailable('string, list, list, int, any, string'),
}

function bcrypt(text: string, { budget }: Runtime): string {
  if (Buffer.byteLength(text) > 72)
    return 'failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes'
  budget.step(SLOW_HASH)
  return hashSync(text, 10).replace(/^\$2[by]\$/, '$2a$')
}

/** The password itself, cut or filled up with zeros: what the reference does, and no example to follow. */
function keyOf(password: string): Buffer {
  const key = Buffer.alloc(32)
  Buffer.from(password).copy(key)
  return key
}

function encrypt(password: string, text: string): string {
  if (text === '') return ''
  // from the text itself, so that it needs no randomness and differs for each text
  const iv = createHmac('sha256', keyOf(password)).update(text).digest().subarray(0, 16)
  const cipher = createCipheriv('aes-256-cbc', keyOf(password), iv)
  return Buffer.concat([iv, cipher.update(text), cipher.final()]).toString('base64')
}

function decrypt(password: string, text: string): string {
  if (text === '') return ''
  const bytes = decodeBase64(text)
  if (!bytes || bytes.length < 32 || bytes.length % 16 !== 0)
    throw new FunctionError('this was not encrypted by encryptAES')
  const cipher = createDecipheriv('aes-256-cbc', keyOf(password), bytes.subarray(0, 16))
  try {
    return Buffer.concat([cipher.update(bytes.subarray(16)), cipher.final()]).toString('utf8')
  } catch {
    throw new FunctionError('the password is another one')
  }
}
