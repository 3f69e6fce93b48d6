import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { testServer } from '../helpers/server.ts'
import { secondFactorFor, signedIn } from '../helpers/sessions.ts'

const UNKNOWN = '11111111-2222-4333-8444-555555555555'
const ENDPOINTS = [
  ['GET', '/sessions'],
  ['DELETE', '/sessions'],
  ['DELETE', `/sessions/${UNKNOWN}`],
  ['DELETE', '/sessions/BADUUID'],
] as const

describe("one's own sessions", () => {
  test('no request without a live session is let in', async (t) => {
    const server = await testServer(t)
    const ended = await signedIn(server)
    await server.deps.sessions.revoke(ended.session, 'logout')
    for (const [method, path] of ENDPOINTS) {
      for (const headers of [{}, { 'x-session-token': 'unknown' }, ended.headers]) {
        const answer = await fetch(server.publicUrl + path, { method, headers })
        const { error } = (await answer.json()) as { error: { reason: string } }
        assert.deepEqual([answer.status, error.reason], [401, 'No valid session cookie found.'], `${method} ${path}`)
      }
    }
  })

  test('a first factor is not enough to see the others where there is a second, but to end them', async (t) => {
    const server = await testServer(t)
    const one = await signedIn(server)
    const other = await signedIn(server, one.session.identity)
    await secondFactorFor(server.db, one.session.identity_id)
    server.reconfigure({ session: { whoami: { required_aal: 'highest_available' } } })
    const seen = await fetch(`${server.publicUrl}/sessions`, { headers: one.headers })
    const { error } = (await seen.json()) as { error: { id: string } }
    assert.deepEqual([seen.status, error.id], [403, 'session_aal2_required'])
    const url = `${server.publicUrl}/sessions/${other.session.id}`
    assert.equal((await fetch(url, { method: 'DELETE', headers: one.headers })).status, 204)
    assert.equal((await other.ends()).length, 1)
  })

  test('the list has the other live ones, with identity and devices and without secrets', async (t) => {
    const server = await testServer(t)
    const one = await signedIn(server)
    const two = await signedIn(server, one.session.identity)
    const gone = await signedIn(server, one.session.identity)
    await signedIn(server)
    await server.deps.sessions.revoke(gone.session, 'logout')
    const answer = await fetch(`${server.publicUrl}/sessions`, { headers: one.headers })
    const text = await answer.text()
    const list = JSON.parse(text) as Record<string, { id: string }>[]
    assert.deepEqual(
      list.map(({ id }) => id),
      [two.session.id],
    )
    assert.equal(list[0]?.identity?.id, one.session.identity_id)
    assert.equal(answer.headers.get('x-total-count'), '1')
    assert.doesNotMatch(text, /token|metadata_admin/)
  })

  test('another session ends, in any spelling of its id, and the current one does not', async (t) => {
    const server = await testServer(t)
    const one = await signedIn(server)
    const two = await signedIn(server, one.session.identity)
    const foreign = await signedIn(server)
    const end = async (id: string) =>
      (await fetch(`${server.publicUrl}/sessions/${id}`, { method: 'DELETE', headers: one.headers })).status
    const current = one.session.id
    for (const id of [current, current.toUpperCase(), current.replaceAll('-', ''), `urn:uuid:${current}`]) {
      assert.equal(await end(id), 400, id)
    }
    for (const id of [two.session.id, two.session.id, foreign.session.id, UNKNOWN]) assert.equal(await end(id), 204)
    for (const id of ['BADUUID', '%00', `${UNKNOWN}%00`]) assert.equal(await end(id), 400, id)
    assert.deepEqual([await one.whoami(), await two.whoami(), await foreign.whoami()], [200, 401, 200])
    assert.deepEqual(
      (await two.ends()).map(({ cause }) => cause),
      ['revoked_by_user'],
    )
  })

  test('all others end and are counted once', async (t) => {
    const server = await testServer(t)
    const one = await signedIn(server)
    const others = [await signedIn(server, one.session.identity), await signedIn(server, one.session.identity)]
    const end = async () =>
      (await fetch(`${server.publicUrl}/sessions`, { method: 'DELETE', headers: one.headers })).json()
    assert.deepEqual([await end(), await end()], [{ count: 2 }, { count: 0 }])
    assert.equal(await one.whoami(), 200)
    for (const other of others) {
      assert.equal(await other.whoami(), 401)
      assert.deepEqual(
        (await other.ends()).map(({ cause }) => cause),
        ['revoked_by_user'],
      )
    }
  })

  test('a page beyond all bounds is 400', async (t) => {
    const server = await testServer(t)
    const { headers } = await signedIn(server)
    const status = async (query: string) => (await fetch(`${server.publicUrl}/sessions?${query}`, { headers })).status
    assert.equal(await status('page=9223372036854775807'), 400)
    assert.equal(await status('page=9007199254740991&per_page=1'), 200)
  })

  test('no code can be exchanged for a session', async (t) => {
    const server = await testServer(t)
    const status = async (query: string) => (await fetch(`${server.publicUrl}/sessions/token-exchange${query}`)).status
    assert.deepEqual(
      [await status(''), await status('?init_code=a'), await status('?init_code=a&return_to_code=b')],
      [400, 400, 404],
    )
  })
})
