import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../src/identities/types.ts'
import { linkedOf } from '../../../src/methods/oidc/credential.ts'

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
