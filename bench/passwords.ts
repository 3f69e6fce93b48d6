import { randomBytes } from 'node:crypto'
import { hashArgon2 } from '../src/kernel/crypto/passwords/argon2.ts'
import { hashBcrypt } from '../src/kernel/crypto/passwords/bcrypt.ts'
import { PASSWORD } from './seed.ts'

const MB = 1024 * 1024
const SETTINGS = {
  algorithm: 'bcrypt',
  bcrypt: { cost: 12 },
  argon2: { memory: MB, iterations: 1, parallelism: 1, salt_length: 16, key_length: 32 },
  dev: false,
} as const

/** The section `hashers` under which `cheapHash` is as good as a new one, so that a login does not write it anew. */
export const CHEAP_HASHERS = { algorithm: 'argon2', argon2: { memory: '1MB', iterations: 1, parallelism: 1 } }

/** A real hash, and so cheap that the rest of a login can be seen beside it: about a millisecond. */
export const cheapHash = () => hashArgon2(Buffer.from(PASSWORD), SETTINGS, randomBytes)

/** What a server hashes with unless told otherwise: bcrypt, cost 12, about a quarter of a second. */
export const defaultHash = () => hashBcrypt(Buffer.from(PASSWORD), SETTINGS, randomBytes)
