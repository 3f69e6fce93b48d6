import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, csrfOf, type Person } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { lastCode, messagesOf } from '../helpers/messages.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const PAGE = { accept: 'text/html' }

describe('a login that needs a verified address', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await testServer(scope, { wireConfig: 'verified-only' })
  })
  after(() => scope.close())

  async function loginForm(client: Client, { email, password }: Person) {
    const flow = (await client.get('/self-service/login/browser')).body
    const form = { method: 'password', identifier: email, password, csrf_token: csrfOf(flow) }
    return { flow, submit: () => client.send('POST', `/self-service/login?flow=${flow.id}`, { headers: PAGE, form }) }
  }
  const stateOf = async (id: string) =>
    (await server.db.query(sql('test.state', 'select state from selfservice_login_flows where id = $1'), [id]))[0]
      ?.state

  test('leads a browser to the code, and the same form signs in once the address is proved', async () => {
    const [client, person] = [new Client(server), await createPerson(server)]
    const { flow, submit } = await loginForm(client, person)
    const refused = await submit()
    const page = new URL(refused.headers.get('location') ?? '')
    assert.deepEqual([refused.status, page.pathname], [303, '/verification'])
    assert.equal((await client.get('/sessions/whoami')).status, 401)
    assert.equal(await stateOf(flow.id), 'choose_method')

    const id = page.searchParams.get('flow')
    const shown = await client.get(`/self-service/verification/flows?id=${id}`)
    assert.deepEqual([shown.status, shown.body.state], [200, 'sent_email'])
    const code = await lastCode(server, person.email, 'verification_code')
    const json = { code, csrf_token: csrfOf(shown.body) }
    const proved = await client.send('POST', `/self-service/verification?flow=${id}`, { json })
    assert.equal(proved.body.state, 'passed_challenge')

    assert.equal((await submit()).status, 303)
    assert.equal((await client.get('/sessions/whoami')).body.identity.id, person.identityId)
  })

  test('sends no message for a wrong password', async () => {
    const [client, person] = [new Client(server), await createPerson(server)]
    const { submit } = await loginForm(client, { ...person, password: 'not this one' })
    assert.match((await submit()).headers.get('location') ?? '', /\/login\?flow=/)
    assert.deepEqual(await messagesOf(server, person.email), [])
  })
})
