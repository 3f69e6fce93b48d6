import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Client, createPerson, isSignedIn, type Person, signInNative } from '../helpers/client.ts'
import { postgres } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const CHANGES: Record<string, (server: TestServer, person: Person) => Promise<number>> = {
  PUT: async (server, { identityId, email }) => {
    const json = {
      schema_id: 'default',
      state: 'active',
      traits: { email },
      credentials: { password: { config: { password: 'another-Harbour-93' } } },
    }
    return (await new Client(server).send('PUT', `${server.adminUrl}/admin/identities/${identityId}`, { json })).status
  },
  PATCH: async (server, { identityId }) => {
    const value = '$2a$12$ZVthT6Xq1mqAFVkwbgUgmuHiJMDEBtwcqNPi1BvOHKc7rYzTDdSIW'
    const json = [{ op: 'replace', path: '/credentials/password/config/hashed_password', value }]
    return (await new Client(server).send('PATCH', `${server.adminUrl}/admin/identities/${identityId}`, { json }))
      .status
  },
}

describe('a password set by an operator', () => {
  for (const [name, change] of Object.entries(CHANGES)) {
    for (const setting of ['none', 'others', 'all']) {
      test(`${name} with end_on_password_change ${setting}`, async (t) => {
        const server = await testServer(t, {
          backend: postgres,
          config: { lethe: { sessions: { end_on_password_change: setting } } },
        })
        const person = await createPerson(server)
        const { token, sessionId } = await signInNative(server, person)
        assert.equal(await change(server, person), 200)
        assert.equal(await isSignedIn(new Client(server), { 'x-session-token': token }), setting === 'none')
        const text = `select cause from lethe.events where session_id = '${sessionId}' and type = 'session.ended'`
        const expected = setting === 'none' ? [] : [{ cause: 'credentials_changed' }]
        assert.deepEqual(await server.db.query({ name: '', text }), expected)
      })
    }
  }

  test('other changes leave sessions alone', async (t) => {
    const server = await testServer(t, {
      backend: postgres,
      config: { lethe: { sessions: { end_on_password_change: 'all' } } },
    })
    const { identityId, ...person } = await createPerson(server)
    const { token } = await signInNative(server, { identityId, ...person })
    const json = [{ op: 'add', path: '/metadata_public', value: { a: 1 } }]
    assert.equal(
      (await new Client(server).send('PATCH', `${server.adminUrl}/admin/identities/${identityId}`, { json })).status,
      200,
    )
    assert.equal(await isSignedIn(new Client(server), { 'x-session-token': token }), true)
  })
})
