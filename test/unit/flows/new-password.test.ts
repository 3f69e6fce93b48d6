import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Config } from '../../../src/config/schema/schema.ts'
import { FormRefused } from '../../../src/flows/refused.ts'
import { BreachCheckUnavailable } from '../../../src/kernel/crypto/passwords/pwned.ts'
import { HttpError } from '../../../src/kernel/http/errors.ts'
import { hashPassword, judgePassword, type NewPasswordDeps } from '../../../src/methods/password/new-password.ts'
import { testHasher } from '../../helpers/hasher.ts'

function deps(breaches: NewPasswordDeps['breaches']): NewPasswordDeps {
  const policy = {
    min_password_length: 8,
    identifier_similarity_check_enabled: true,
    haveibeenpwned_enabled: true,
    max_breaches: 0,
  }
  const config = { selfservice: { methods: { password: { config: policy } } }, hashers: { algorithm: 'bcrypt' } }
  return { config: () => config as unknown as Config, hasher: testHasher(), breaches }
}

const ids = (error: unknown) =>
  error instanceof FormRefused && error.problems.map(({ path, message }) => [path, message.id])

describe('a new password', () => {
  test('that has leaked is refused at its input', async () => {
    await assert.rejects(
      judgePassword(
        deps(async () => 3),
        'Xq7-lethe-92',
        ['a@b.example'],
      ),
      (error) => {
        assert.deepEqual(ids(error), [['password', 4000034]])
        return true
      },
    )
    await judgePassword(
      deps(async () => 0),
      'Xq7-lethe-92',
      ['a@b.example'],
    )
  })

  test('that must be checked and cannot be: try again later, not accepted', async () => {
    const unreachable = async () => {
      throw new BreachCheckUnavailable('host.test')
    }
    await assert.rejects(judgePassword(deps(unreachable), 'Xq7-lethe-92', []), (error) => {
      assert.ok(error instanceof HttpError)
      assert.deepEqual([error.status, error.headers], [503, { 'retry-after': '1' }])
      return true
    })
  })

  test('is held against each identifier, before others are asked about it', async () => {
    const asked: string[] = []
    const d = deps(async (password) => asked.push(password))
    await assert.rejects(judgePassword(d, 'anna@example.com', ['other', 'anna@example.com']), (error) => {
      assert.deepEqual(ids(error), [['password', 4000031]])
      return true
    })
    assert.deepEqual(asked, [])
  })

  test('that the algorithm would cut is never hashed', async () => {
    await assert.rejects(
      hashPassword(
        deps(async () => 0),
        'ä'.repeat(37),
        { identifier: '', network: '' },
      ),
      (error) => {
        assert.deepEqual(ids(error), [['password', 4000033]])
        return true
      },
    )
  })
})
