import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PolicySettings } from '../../../src/kernel/crypto/passwords/policy.ts'
import { checkPassword } from '../../../src/kernel/crypto/passwords/policy.ts'
import { isTooSimilar } from '../../../src/kernel/crypto/passwords/similarity.ts'

const defaults: PolicySettings = {
  min_password_length: 8,
  identifier_similarity_check_enabled: true,
  haveibeenpwned_enabled: true,
  max_breaches: 0,
}

async function judge(password: string, policy: Partial<PolicySettings> = {}, breached = 0, algorithm = 'bcrypt') {
  const asked: string[] = []
  const result = await checkPassword({
    password,
    identifiers: ['carol@example.org', 'carol_castle'],
    policy: { ...defaults, ...policy },
    algorithm: algorithm as 'bcrypt' | 'argon2',
    breaches: async (text) => {
      asked.push(text)
      return breached
    },
  })
  return { asked: asked.length, message: result.ok ? undefined : result.message }
}

describe('password policy', () => {
  it('accepts a good password', async () => {
    assert.deepEqual(await judge('tangerine-boat-41'), { asked: 1, message: undefined })
  })

  it('wants a length, in bytes', async () => {
    const text = 'The password must be at least 8 characters long, but got 7.'
    const context = { min_length: 8, actual_length: 7 }
    assert.deepEqual(await judge('1234567'), { asked: 0, message: { id: 4000032, text, type: 'error', context } })
    assert.equal((await judge('äöüß')).message, undefined)
  })

  it('wants it unlike every identifier, case aside', async () => {
    const text = 'The password can not be used because it is too similar to the identifier.'
    const refused = { asked: 0, message: { id: 4000031, text, type: 'error' } }
    assert.deepEqual(await judge('Carol@Example.org1'), refused)
    assert.deepEqual(await judge('CAROL_castle'), refused)
    assert.equal((await judge('CAROL_castle', { identifier_similarity_check_enabled: false })).message, undefined)
  })

  it('wants at most 72 bytes for bcrypt', async () => {
    const text = 'The password must be at most 72 characters long, but got 73.'
    const context = { max_length: 72, actual_length: 73 }
    const long = 'x'.repeat(73)
    assert.deepEqual(await judge(long), { asked: 0, message: { id: 4000033, text, type: 'error', context } })
    assert.equal((await judge(long, {}, 0, 'argon2')).message, undefined)
  })

  it('allows as many breaches as configured', async () => {
    const text = 'The password has been found in data breaches and must no longer be used.'
    const message = { id: 4000034, text, type: 'error', context: { breaches: 3 } }
    assert.deepEqual(await judge('tangerine-boat-41', { max_breaches: 2 }, 3), { asked: 1, message })
    assert.equal((await judge('tangerine-boat-41', { max_breaches: 3 }, 3)).message, undefined)
    assert.deepEqual(await judge('tangerine-boat-41', { haveibeenpwned_enabled: false }, 3), {
      asked: 0,
      message: undefined,
    })
  })
})

describe('similarity', () => {
  for (const [identifier, password, similar] of [
    ['abcdefghij', 'abcdefvwxyz', true], // 6 of 11 shared
    ['abcdefghij', 'abcdeuvwxyz', false], // 5 of 11 shared
    ['abcdefgh', 'azcxexgz', true], // 4 edits
    ['abcdefgh', 'azcxexgzy', false], // 5 edits
    ['kitten', 'SITTING', true], // 3 edits
    ['', 'anything', false],
    ['a'.repeat(257), 'a'.repeat(20), false], // not compared
    ['größenwahn@x.org', 'größenwahn', true],
  ] as const) {
    it(`${identifier.slice(0, 20)} and ${password}: ${similar}`, () =>
      assert.equal(isTooSimilar(identifier, password), similar))
  }
})
