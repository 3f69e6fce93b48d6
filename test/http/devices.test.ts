import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Client, createPerson } from '../helpers/client.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const CLAIMS = {
  'x-forwarded-for': '203.0.113.7:51234',
  'true-client-ip': '198.51.100.77',
  'cf-connecting-ip': '198.51.100.78',
  'x-real-ip': '198.51.100.79',
  'cf-ipcity': 'Springfield',
  'cf-ipcountry': 'US',
}

/** What a sign-in leaves behind: at the session, in the log of events, and in that of requests. */
async function traces(server: TestServer, headers: Record<string, string>) {
  const person = await createPerson(server)
  const client = new Client(server)
  const { ui } = (await client.get('/self-service/login/api')).body
  const json = { method: 'password', identifier: person.email, password: person.password }
  const signedIn = await client.send('POST', ui.action, { json, headers })
  assert.equal(signedIn.status, 200)
  const { session_token, session } = signedIn.body
  await client.send('DELETE', '/self-service/logout/api', { json: { session_token }, headers })
  const events = (await client.get(`${server.adminUrl}/admin/events?session_id=${session.id}`)).body
  const seen = server
    .logs()
    .split('\n')
    .filter((line) => line.includes('"POST"'))
    .at(-1)
  return { device: session.devices[0], events: JSON.stringify(events), remote: JSON.parse(seen!).http_request.remote }
}

describe('what is noted of a device', () => {
  test('from any client: the address of the connection, whatever the headers claim', async (t) => {
    const server = await testServer(t)
    const { device, events, remote } = await traces(server, CLAIMS)
    assert.match(device.ip_address, /^127\.0\.0\.1:\d+$/, 'the peer, as Kratos notes it')
    assert.equal(device.location, '')
    assert.equal(remote, '127.0.0.1')
    assert.doesNotMatch(events, /203\.0\.113|198\.51\.100|Springfield/)
    await traces(server, CLAIMS)
    const warnings = server
      .logs()
      .split('\n')
      .filter((line) => line.includes('lethe.http.trusted_proxies'))
    assert.equal(warnings.length, 1, 'the key that is missing is told once')
  })

  test('from a named proxy: what it says', async (t) => {
    const server = await testServer(t, { config: { lethe: { http: { trusted_proxies: ['127.0.0.1/32'] } } } })
    const { device, events, remote } = await traces(server, CLAIMS)
    assert.equal(device.ip_address, '203.0.113.7')
    assert.equal(device.location, 'Springfield, US')
    assert.equal(remote, '203.0.113.7')
    assert.doesNotMatch(events, /198\.51\.100/)
    assert.doesNotMatch(server.logs(), /trusted_proxies/)
  })
})
