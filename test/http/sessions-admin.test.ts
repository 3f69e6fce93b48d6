import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseTime } from '../../src/kernel/base/clock.ts'
import { testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

const UNKNOWN = '11111111-2222-4333-8444-555555555555'

describe('sessions on the admin port', () => {
  test('a bad id is 400 and an unknown one 404, on every path', async (t) => {
    const server = await testServer(t)
    for (const [method, before, after] of [
      ['GET', '/admin/sessions/', ''],
      ['DELETE', '/admin/sessions/', ''],
      ['PATCH', '/admin/sessions/', '/extend'],
      ['DELETE', '/admin/identities/', '/sessions'],
    ] as const) {
      const status = async (id: string) => (await fetch(`${server.adminUrl}${before}${id}${after}`, { method })).status
      for (const bad of ['BADUUID', '%00', '%ff', `${UNKNOWN}%00`, 'a'.repeat(5000)]) {
        assert.equal(await status(bad), 400, `${method} ${before}${bad.slice(0, 50)}${after}`)
      }
      assert.equal(await status(UNKNOWN), 404, `${method} ${before}:id${after}`)
    }
    assert.equal((await fetch(`${server.adminUrl}/admin/identities/BADUUID/sessions`)).status, 400)
  })

  test('whatever a query holds, the answer is 200 or 400', async (t) => {
    const server = await testServer(t)
    const odd = ['%00', '%ff', "'", '-1', '1e9', '9223372036854775807', '9'.repeat(400), '%F0%9F%99%82', '{}', 'null']
    for (const path of ['/admin/sessions', `/admin/identities/${UNKNOWN}/sessions`]) {
      for (const name of ['page', 'per_page', 'page_size', 'page_token', 'active', 'expand', '__proto__', 'x']) {
        for (const value of odd) {
          const { status } = await fetch(`${server.adminUrl}${path}?${name}=${value}`)
          assert.ok([200, 400].includes(status), `${status} for ${path}?${name}=${value.slice(0, 30)}`)
        }
      }
    }
  })

  test('a session is shown with what was asked for, and without secrets', async (t) => {
    const server = await testServer(t)
    const { session, token } = await signedIn(server)
    const get = async (query = '') => (await fetch(`${server.adminUrl}/admin/sessions/${session.id}${query}`)).text()
    const bare = JSON.parse(await get())
    assert.deepEqual([bare.active, bare.identity, bare.devices], [true, null, []])
    const full = await get('?expand=identity&expand=Devices')
    assert.equal(JSON.parse(full).identity.id, session.identity_id)
    assert.equal(JSON.parse(full).devices.length, 1)
    assert.doesNotMatch(full, /token/)
    assert.ok(!full.includes(token))
  })

  test('an admin ends a session: 204 at once and again, then it is refused', async (t) => {
    const server = await testServer(t)
    const { session, whoami } = await signedIn(server)
    assert.equal(await whoami(), 200)
    const url = `${server.adminUrl}/admin/sessions/${session.id}`
    for (let i = 0; i < 2; i++) {
      const answer = await fetch(url, { method: 'DELETE' })
      assert.equal(answer.status, 204)
      assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
    }
    assert.equal(await whoami(), 401)
    assert.equal(((await (await fetch(url)).json()) as { active: boolean }).active, false)
  })

  test('an ended session answers 200 to an extension and stays ended', async (t) => {
    const server = await testServer(t)
    const { session, whoami } = await signedIn(server)
    const url = `${server.adminUrl}/admin/sessions/${session.id}`
    await fetch(url, { method: 'DELETE' })
    const answer = await fetch(`${url}/extend`, { method: 'PATCH' })
    const body = (await answer.json()) as Record<string, unknown>
    assert.deepEqual([answer.status, body.active, body.expires_at], [200, false, session.expires_at])
    assert.equal(await whoami(), 401)
  })

  test('an extension counts from now, obeys the earliest time, and can be answered without a body', async (t) => {
    const server = await testServer(t, { config: { session: { lifespan: '2h' } } })
    const { session } = await signedIn(server)
    const extend = () => fetch(`${server.adminUrl}/admin/sessions/${session.id}/extend`, { method: 'PATCH' })
    // As numbers: as texts 14:00:00.74Z comes after 14:00:00.746Z.
    const expiry = async () => parseTime(((await (await extend()).json()) as { expires_at: string }).expires_at)
    const first = await expiry()
    assert.ok(first > parseTime(session.expires_at))
    server.reconfigure({ session: { earliest_possible_extend: '1h' } })
    assert.equal(await expiry(), first)
    server.reconfigure({ session: { earliest_possible_extend: '3h' }, feature_flags: { faster_session_extend: true } })
    const quiet = await extend()
    assert.deepEqual([quiet.status, await quiet.text()], [204, ''])
    server.reconfigure({ session: { earliest_possible_extend: '1h' }, feature_flags: { faster_session_extend: false } })
    assert.ok((await expiry()) > first)
  })

  test('a walk along the links of both lists meets each session once', async (t) => {
    const server = await testServer(t)
    const { session } = await signedIn(server)
    const all = [session.id]
    for (let i = 0; i < 4; i++) all.unshift((await signedIn(server, session.identity)).session.id)
    for (const path of ['/admin/sessions?page_size=2', `/sessions?page_size=2&active=true`]) {
      assert.deepEqual(await walk(server.adminUrl, path), all, path)
    }
    for (const size of [1, 2, 5, 9]) {
      const path = `/admin/identities/${session.identity_id}/sessions?page_size=${size}`
      assert.deepEqual(await walk(server.adminUrl, path), all, path)
    }
  })

  test('revoking all of an identity deletes the rows and is told once for each', async (t) => {
    const server = await testServer(t)
    const one = await signedIn(server)
    const two = await signedIn(server, one.session.identity)
    const url = `${server.adminUrl}/admin/identities/${one.session.identity_id}/sessions`
    const statuses = [(await fetch(url, { method: 'DELETE' })).status, (await fetch(url, { method: 'DELETE' })).status]
    assert.deepEqual(statuses, [204, 404])
    assert.deepEqual([await one.whoami(), await two.whoami()], [401, 401])
    const told = [...(await one.ends()), ...(await two.ends())].map(({ cause }) => cause)
    assert.deepEqual(told, ['revoked_by_admin', 'revoked_by_admin'])
  })

  test('revoking without an id is sent to the public port', async (t) => {
    const server = await testServer(t)
    const answer = await fetch(`${server.adminUrl}/admin/sessions`, { method: 'DELETE', redirect: 'manual' })
    assert.deepEqual([answer.status, answer.headers.get('location')], [307, `${server.publicUrl}/sessions`])
  })
})

/** The ids of all pages, from one `next` to the next. */
async function walk(base: string, first: string): Promise<string[]> {
  const ids: string[] = []
  for (let path: string | undefined = first, pages = 0; path !== undefined; pages++) {
    assert.ok(pages < 20, 'the walk goes on for ever')
    const answer: Response = await fetch(base + path)
    ids.push(...((await answer.json()) as { id: string }[]).map(({ id }) => id))
    path = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
  }
  return ids
}
