import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, test } from 'node:test'
import { Client, createPerson, signIn, signInNative } from '../helpers/client.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const HTML = { accept: 'text/html' }
const JSON_HEADERS = { accept: 'application/json' }

async function told(server: TestServer, path: string, headers: Record<string, string>) {
  const { status, headers: sent, body } = await new Client(server).get(path, headers)
  return { status, location: sent.get('location'), id: body?.error?.id, reason: body?.error?.reason, body }
}

describe('a flow that is not begun', () => {
  test('where its kind is switched off: a browser reads that on the error page, wherever it asked', async (t) => {
    const server = await testServer(t)
    for (const kind of ['recovery', 'verification']) {
      for (const end of ['browser', 'api', 'flows?id=x']) {
        const page = await told(server, `/self-service/${kind}/${end}`, HTML)
        assert.deepEqual([page.status, page.location?.split('?')[0]], [303, 'http://127.0.0.1:4455/error'], end)
        const script = await told(server, `/self-service/${kind}/${end}`, JSON_HEADERS)
        assert.equal(script.status, 400)
        assert.match(script.reason, /is not allowed because it was disabled/)
      }
    }
    await server.reconfigure({ selfservice: { flows: { registration: { enabled: false } } } })
    assert.equal((await told(server, '/self-service/registration/flows?id=x', HTML)).status, 303)
    assert.equal((await told(server, '/self-service/registration/api', HTML)).status, 400)
    const elsewhere = await told(server, '/self-service/verification/api?return_to=https://evil.test', JSON_HEADERS)
    assert.match(elsewhere.reason, /^Verification is not allowed/)
  })

  test('since somebody is signed in already, also where recovery is switched off', async (t) => {
    const server = await testServer(t)
    const { token } = await signInNative(server, await createPerson(server))
    for (const type of ['api', 'browser']) {
      const path = `/self-service/recovery/${type}`
      const { status, id } = await told(server, path, { ...JSON_HEADERS, 'x-session-token': token })
      assert.deepEqual([status, id], [400, 'session_already_available'])
    }
  })

  test('since nobody is signed in: settings send a browser to sign in, with the way back it asked for', async (t) => {
    const server = await testServer(t)
    const path = '/self-service/settings/browser'
    const login = `${server.publicUrl}/self-service/login/browser`
    assert.equal((await told(server, path, HTML)).location, login)
    const back = '?return_to=http%3A%2F%2F127.0.0.1%3A4455%2Fx'
    assert.equal((await told(server, path + back, HTML)).location, login + back)
    const script = await told(server, path, JSON_HEADERS)
    assert.deepEqual([script.status, script.id], [401, 'session_inactive'])
    assert.equal(script.reason, 'No active session was found in this request.')
    assert.equal(script.body.CredentialsMissing, false)
  })
})

test('settings tell of a flow that does not exist by its name, and of no organization', async (t) => {
  const server = await testServer(t)
  const client = new Client(server)
  const { csrfToken } = await signIn(client, await createPerson(server))
  const unknown = '/self-service/settings?flow=11111111-2222-4333-8444-555555555555'
  const reply = await client.send('POST', unknown, { json: { method: 'password', csrf_token: csrfToken } })
  const { status, body } = reply
  assert.deepEqual(
    [status, body.error.reason],
    [404, 'The settings request could not be found. Please restart the flow.'],
  )
  const flow = await client.get('/self-service/settings/browser')
  assert.equal(flow.status, 200)
  assert.equal('organization_id' in flow.body, false)
})

test('a device without a User-Agent has none, as in Kratos, and an event says the empty one', async (t) => {
  const server = await testServer(t)
  const { email, password } = await createPerson(server)
  const flow = await new Client(server).get('/self-service/login/api')
  const body = JSON.stringify({ method: 'password', identifier: email, password })
  const answer = await new Promise<any>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(flow.body.ui.action, { method: 'POST', headers }, async (res) => {
      let text = ''
      for await (const part of res) text += part
      resolve(JSON.parse(text))
    })
    sent.on('error', reject).end(body)
  })
  assert.equal(answer.session.devices[0].user_agent, null)
  const whoami = await new Client(server).get('/sessions/whoami', { 'x-session-token': answer.session_token })
  assert.equal(whoami.body.devices[0].user_agent, null)
  const events = await new Client(server).get(`${server.adminUrl}/admin/events?session_id=${answer.session.id}`)
  const begun = events.body.find(({ type }: { type: string }) => type === 'session.created')
  assert.equal(begun.device.user_agent, '')
})
