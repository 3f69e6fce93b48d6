import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatTime, type Micros, SECOND, systemClock } from '../../src/kernel/base/clock.ts'
import { backends, type Scope } from '../helpers/db.ts'
import { type TestServer, type TestServerOptions, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

/** An app that waits, and somebody who has signed in with a browser for it. */
async function waiting(t: Scope, options: TestServerOptions = {}) {
  const server = await testServer(t, options)
  const begun = await fetch(`${server.publicUrl}/self-service/login/api?return_session_token_exchange_code=true`)
  const flow = (await begun.json()) as { id: string; session_token_exchange_code: string }
  const one = await signedIn(server)
  const now = formatTime((options.clock ?? systemClock()).now())
  const returnToCode = await server.deps.exchanges.bind(flow.id, one.session.id, now)
  const query = new URLSearchParams({
    init_code: flow.session_token_exchange_code,
    return_to_code: returnToCode ?? assert.fail('no app waits'),
  })
  const exchange = async (method = 'GET') => {
    const answer = await fetch(`${server.publicUrl}/sessions/token-exchange?${query}`, { method })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? {} : JSON.parse(text) }
  }
  return { server, one, exchange }
}

const whoami = async ({ publicUrl }: TestServer, headers: Record<string, string>) =>
  (await fetch(`${publicUrl}/sessions/whoami`, { headers })).status

describe('codes of an app', () => {
  for (const backend of backends()) {
    test(`are exchanged for the session once, with a token of its own (${backend.name})`, async (t) => {
      const { server, one, exchange } = await waiting(t, { backend })
      const answers = await Promise.all([exchange(), exchange(), exchange()])
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 404, 404])
      const { body } = answers.find(({ status }) => status === 200)!
      assert.equal(body.session.id, one.session.id)
      assert.equal(await whoami(server, { 'x-session-token': body.session_token }), 200)
      assert.equal((await exchange()).status, 404)
    })
  }

  test('open nothing once the session has ended', async (t) => {
    const { server, one, exchange } = await waiting(t)
    await server.deps.sessions.revoke(one.session, 'logout')
    assert.equal((await exchange()).status, 404)
    assert.equal(await whoami(server, one.headers), 401)
  })

  test('open nothing while the account is disabled', async (t) => {
    const { server, one, exchange } = await waiting(t)
    await fetch(`${server.adminUrl}/admin/identities/${one.session.identity_id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ op: 'replace', path: '/state', value: 'inactive' }]),
    })
    assert.equal((await exchange()).status, 404)
  })

  test('are too old after a while', async (t) => {
    let late: Micros = 0
    const real = systemClock()
    const clock = { ...real, now: () => real.now() + late }
    const { exchange } = await waiting(t, { clock })
    late = 601 * SECOND
    assert.equal((await exchange()).status, 404)
    late = 60 * SECOND
    assert.equal((await exchange()).status, 200)
  })

  test('are not used up by a look', async (t) => {
    const { exchange } = await waiting(t)
    assert.notEqual((await exchange('HEAD')).status, 200)
    assert.equal((await exchange()).status, 200)
  })
})
