import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client } from '../helpers/client.ts'
import type { Scope } from '../helpers/db.ts'
import { testServer } from '../helpers/server.ts'

const STORE_TOKEN = sql(
  'test.store_token',
  `update identity_credentials set config = jsonb_set(config, '{providers,0,initial_id_token}', to_jsonb($2::text))
  where identity_id = $1 and config ? 'providers'`,
)

/** Somebody with two accounts at providers; a token rests with the first. */
async function twoAccounts(t: Scope) {
  const server = await testServer(t)
  const client = new Client(server)
  const admin = (method: string, path: string, json?: unknown) =>
    client.send(method, `${server.adminUrl}/admin/identities${path}`, json === undefined ? {} : { json })
  const providers = [
    { provider: 'one', subject: 'a' },
    { provider: 'two', subject: 'b' },
  ]
  const traits = { email: 'ada@example.org' }
  const made = await admin('POST', '', {
    schema_id: 'default',
    traits,
    credentials: { oidc: { config: { providers } } },
  })
  const id: string = made.body.id
  await server.db.query(STORE_TOKEN, [id, server.deps.cipher.encrypt(Buffer.from('the-id-token'))])
  const shown = async () => (await admin('GET', `/${id}?include_credential=oidc`)).body
  return { id, admin, shown }
}

describe('accounts at providers, as operators see them', () => {
  test('show their tokens to an operator who asks for them, and to no one else', async (t) => {
    const { id, admin, shown } = await twoAccounts(t)
    const { providers } = (await shown()).credentials.oidc.config
    assert.deepEqual(
      providers.map((one: any) => [one.provider, one.initial_id_token, one.initial_access_token]),
      [
        ['one', 'the-id-token', ''],
        ['two', '', ''],
      ],
    )
    assert.doesNotMatch((await admin('GET', `/${id}`)).text, /the-id-token/)
  })

  test('a patch of something else leaves the tokens where they are, and cannot copy them', async (t) => {
    const { id, admin, shown } = await twoAccounts(t)
    const before = (await shown()).credentials.oidc
    const patch = [{ op: 'add', path: '/metadata_public', value: { a: 1 } }]
    assert.equal((await admin('PATCH', `/${id}`, patch)).status, 200)
    assert.deepEqual((await shown()).credentials.oidc, before)
    const copy = [{ op: 'copy', from: '/credentials/oidc', path: '/metadata_public/x' }]
    await admin('PATCH', `/${id}`, copy)
    assert.doesNotMatch(JSON.stringify((await shown()).metadata_public), /the-id-token/)
    assert.deepEqual((await shown()).credentials.oidc, before)
  })

  test('go one by one, but for the last way in', async (t) => {
    const { id, admin, shown } = await twoAccounts(t)
    const remove = async (identifier: string) =>
      (await admin('DELETE', `/${id}/credentials/oidc${identifier === '' ? '' : `?identifier=${identifier}`}`)).status
    assert.deepEqual([await remove(''), await remove('one:nobody')], [400, 404])
    assert.deepEqual([await remove('one:a'), await remove('two:b')], [204, 400])
    const { identifiers, config } = (await shown()).credentials.oidc
    assert.deepEqual([identifiers, config.providers.length], [['two:b'], 1])
  })
})
