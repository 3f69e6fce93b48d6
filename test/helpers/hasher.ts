import { randomBytes } from 'node:crypto'
import type { Hasher, HasherSettings } from '../../src/kernel/crypto/passwords/passwords.ts'
import { createHasher } from '../../src/kernel/crypto/passwords/passwords.ts'

export const cheapHasherSettings: HasherSettings = {
  algorithm: 'bcrypt',
  bcrypt: { cost: 4 },
  argon2: { memory: 64 * 1024, iterations: 1, parallelism: 1, salt_length: 16, key_length: 32 },
  dev: true,
}

/** The real hasher at its lowest cost: about a millisecond a hash. */
export function testHasher(settings: Partial<HasherSettings> = {}): Hasher {
  return createHasher(() => ({ ...cheapHasherSettings, ...settings }), { random: randomBytes })
}
