import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { closingScope } from '../helpers/db.ts'
import { LIVE, type LiveSession, liveServer } from '../helpers/live-kratos.ts'
import type { TestServer } from '../helpers/server.ts'

const SESSIONS = sql('test.live_sessions', 'select id, active from sessions order by id')
const REVIVE = sql('test.revive', 'update sessions set active = true where id = $1')
const ROW = sql('test.live_row', 'select active, updated_at from sessions where id = $1')
const TOMBSTONE = sql('test.live_tombstone', 'select session_id from lethe.tombstones where session_id = $1')

const sessions = Object.entries(LIVE.sessions)
const alive = sessions.filter(([, { expect }]) => expect.whoami.status === 200)

describe('sessions of a live Kratos', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await liveServer(scope)
  })
  after(() => scope.close())

  const whoami = (headers: Record<string, string>) =>
    fetch(`${server.publicUrl}/sessions/whoami`, { headers: { accept: 'application/json', ...headers } })

  for (const [name, session] of sessions) {
    const credentials: [string, Record<string, string>, number][] = [
      ['X-Session-Token', { 'x-session-token': session.session_token }, session.expect.whoami.status],
      ['Bearer', { authorization: `Bearer ${session.session_token}` }, session.expect.by_bearer],
      ...(session.cookie === undefined
        ? []
        : [
            ['cookie', { cookie: session.cookie }, session.expect.by_cookie] as [
              string,
              Record<string, string>,
              number,
            ],
          ]),
    ]
    for (const [kind, headers, status] of credentials) {
      test(`${name} by ${kind}: ${status}, with every member that Kratos gave`, async () => {
        const answer = await whoami(headers)
        assert.equal(answer.status, status)
        assert.deepEqual(await answer.json(), session.expect.whoami.body)
        assert.equal(answer.headers.get('set-cookie'), null, 'a cookie of Kratos is as good as one of ours')
      })
    }
  }

  test('being asked changed no session', async () => {
    const rows = await server.db.query<{ id: string; active: boolean }>(SESSIONS)
    const recorded = sessions.map(([, s]) => ({ id: s.session_id, active: s.row.active }))
    assert.deepEqual(
      rows,
      recorded.sort((a, b) => (a.id < b.id ? -1 : 1)),
    )
  })
})

describe('logout of sessions that Kratos began', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await liveServer(scope)
  })
  after(() => scope.close())

  const isIn = async ({ session_token: token }: LiveSession) => {
    const answer = await fetch(`${server.publicUrl}/sessions/whoami`, { headers: { 'x-session-token': token } })
    return answer.status === 200
  }

  async function logOut(session: LiveSession): Promise<number> {
    if (session.cookie === undefined) {
      const answer = await fetch(`${server.publicUrl}/self-service/logout/api`, {
        method: 'DELETE',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ session_token: session.session_token }),
      })
      return answer.status
    }
    // the token that Kratos handed out, as it stands in pages that are open now
    const answer = await fetch(`${server.publicUrl}/self-service/logout?token=${session.logout_token}`, {
      headers: { accept: 'application/json', cookie: session.cookie },
    })
    return answer.status
  }

  for (const [name, session] of alive) {
    test(`${name}: is final in the table, and stays so when another program sets the row active again`, async () => {
      const [before] = await server.db.query<{ updated_at: string }>(ROW, [session.session_id])
      assert.equal(await isIn(session), true)
      assert.equal(await logOut(session), 204)
      assert.deepEqual(await server.db.query(ROW, [session.session_id]), [
        { active: false, updated_at: before!.updated_at },
      ])
      assert.equal((await server.db.query(TOMBSTONE, [session.session_id])).length, 1)
      assert.equal(await isIn(session), false)
      await server.db.query(REVIVE, [session.session_id])
      assert.equal(await isIn(session), false, 'the tombstone decides')
    })
  }

  test('a row that was set active again is set back, so that Kratos refuses it too', async () => {
    const revived = alive.map(([, session]) => session.session_id)
    for (const id of revived) await server.db.query(REVIVE, [id])
    assert.equal(await server.deps.reactivated.round(), revived.length)
    for (const id of revived) assert.equal((await server.db.query<{ active: boolean }>(ROW, [id]))[0]!.active, false)
    assert.equal(await server.deps.reactivated.round(), 0)
  })

  test('a revived session is shown as ended, and can neither be prolonged nor used to end others', async () => {
    const [, session] = alive.find(([name]) => name === 'bob-native-1')!
    const [, other] = alive.find(([name]) => name === 'jo-browser')!
    const { adminUrl, publicUrl } = server
    await server.db.query(REVIVE, [session.session_id])
    const shown = (await (await fetch(`${adminUrl}/admin/sessions/${session.session_id}`)).json()) as object
    assert.equal((shown as { active: boolean }).active, false)
    await fetch(`${adminUrl}/admin/sessions/${session.session_id}/extend`, { method: 'PATCH' })
    assert.equal(await isIn(session), false)
    const headers = { 'x-session-token': session.session_token }
    assert.equal((await fetch(`${publicUrl}/sessions`, { method: 'DELETE', headers })).status, 401)
    assert.equal((await fetch(`${publicUrl}/sessions/${other.session_id}`, { method: 'DELETE', headers })).status, 401)
  })
})
