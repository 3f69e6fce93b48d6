import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../src/identities/types.ts'
import { linkedOf, withLinked } from '../../../src/methods/oidc/credential.ts'

const linked = (config: JsonObject) => linkedOf([{ type: 'oidc', config }]).map((one) => [one.provider, one.subject])

test('accounts at providers are read from whatever a row holds', () => {
  assert.deepEqual(linkedOf([]), [])
  for (const providers of [undefined, null, 'github', {}]) assert.deepEqual(linked({ providers } as JsonObject), [])
  const strange = Object.create(null)
  assert.deepEqual(
    linked({ providers: [null, 7, { provider: strange, subject: [strange] }, { provider: 'github', subject: 'a' }] }),
    [
      ['', ''],
      ['', ''],
      ['', ''],
      ['github', 'a'],
    ],
  )
})

test('an account is linked beside whatever a row holds: entries without a name are no identifiers, and members stay', () => {
  const config = { providers: [{}, { provider: 'github' }, { provider: 'github', subject: 'a' }], made_by: 'another' }
  const row = { type: 'oidc', version: 0, identifiers: ['github:a'], config }
  const added = { provider: 'google', subject: 'b', entry: { provider: 'google', subject: 'b' } }
  const [changed] = withLinked([row], [...linkedOf([row]), added])
  assert.deepEqual(changed, {
    ...row,
    identifiers: ['github:a', 'google:b'],
    config: { ...config, providers: [...config.providers, added.entry] },
  })
})
