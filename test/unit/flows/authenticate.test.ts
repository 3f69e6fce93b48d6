import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FormRefused } from '../../../src/flows/refused.ts'
import type { Identity } from '../../../src/identities/types.ts'
import type { Hasher } from '../../../src/kernel/crypto/passwords/passwords.ts'
import { type AuthenticateDeps, authenticate } from '../../../src/methods/password/authenticate.ts'
import { testHasher } from '../../helpers/hasher.ts'

/** Counts how often a whole hash is computed. */
function counting(hasher: Hasher): { hasher: Hasher; work: string[] } {
  const work: string[] = []
  return {
    work,
    hasher: {
      ...hasher,
      verify: (password, hash) => {
        work.push('verify')
        return hasher.verify(password, hash)
      },
      dummyVerify: (password) => {
        work.push('dummyVerify')
        return hasher.dummyVerify(password)
      },
    },
  }
}

const client = { address: '', network: '', shared: true, believed: false }
const hash = await testHasher().hash('right')

describe('who has no account and who errs', () => {
  const identity = { id: 'x' } as Identity
  const cases: [string, Awaited<ReturnType<AuthenticateDeps['identities']['findByPasswordIdentifier']>>, string][] = [
    ['an identifier that nobody has', undefined, 'dummyVerify'],
    ['an account without a password', { identity, hash: undefined }, 'dummyVerify'],
    ['a wrong password', { identity, hash }, 'verify'],
  ]
  for (const [what, found, expected] of cases) {
    test(`${what} costs one hash and gets the one message`, async () => {
      const { hasher, work } = counting(testHasher())
      const d: AuthenticateDeps = {
        hasher,
        identities: { findByPasswordIdentifier: async () => found, replacePasswordHash: async () => false },
        attempts: { begin: async () => [], check: async () => {}, failed: async () => {} },
        knownBrowsers: { of: () => undefined },
        log: { warn() {} },
      }
      await assert.rejects(
        authenticate(d, { identifier: 'a', password: 'wrong' }, { client, knownBrowser: undefined }),
        (error) => {
          assert.ok(error instanceof FormRefused)
          assert.deepEqual(
            error.problems.map(({ path, message }) => [path, message.id]),
            [[undefined, 4000006]],
          )
          return true
        },
      )
      assert.deepEqual(work, [expected])
    })
  }
})
