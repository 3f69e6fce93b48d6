import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client, createPerson, csrfOf, type Person } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { lastCode, messagesOf } from '../helpers/messages.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

describe('verification by code', () => {
  const scope = closingScope()
  let server: TestServer
  /** another node on the same database */
  let second: TestServer
  before(async () => {
    server = await testServer(scope, { wireConfig: 'recovery' })
    second = await testServer(scope, { wireConfig: 'recovery', db: server.db })
  })
  after(() => scope.close())

  /** An app that has asked for a code. */
  async function asked(email: string) {
    const { id } = (await new Client(server).get('/self-service/verification/api')).body
    const submit = (json: object, on = server) =>
      new Client(on).send('POST', `/self-service/verification?flow=${id}`, { json })
    return { id: id as string, submit, answer: await submit({ method: 'code', email }) }
  }
  const codeFor = ({ email }: Person) => lastCode(server, email, 'verification_code')
  const wrongFor = async (person: Person) => ((await codeFor(person)) === '000000' ? '000001' : '000000')
  const addressOf = async ({ identityId }: Person) =>
    (await new Client(server).get(`${server.adminUrl}/admin/identities/${identityId}`)).body.verifiable_addresses[0]

  test('of several submits of one code at a time, on two nodes, one finishes the flow', async () => {
    const person = await createPerson(server)
    const flow = await asked(person.email)
    const code = await codeFor(person)
    const answers = await Promise.all([server, second, server, second].map((on) => flow.submit({ code }, on)))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 410, 410, 410])
    assert.equal((await addressOf(person)).verified, true)
  })

  test('five codes may be tried, whichever node they are sent to, and links count', async () => {
    const person = await createPerson(server)
    const flow = await asked(person.email)
    const wrong = await wrongFor(person)
    for (const on of [server, second, server, second])
      assert.equal((await flow.submit({ code: wrong }, on)).status, 200)
    await new Client(second).get(`/self-service/verification?flow=${flow.id}&code=${wrong}`, { accept: 'text/html' })
    const late = await flow.submit({ code: await codeFor(person) }, second)
    assert.deepEqual([late.status, late.body.error.id], [410, 'self_service_flow_replaced'])
    assert.equal((await addressOf(person)).verified, false)
  })

  test('what gateways do with a link uses up neither code nor tries', async () => {
    const person = await createPerson(server)
    const flow = await asked(person.email)
    const code = await codeFor(person)
    const link = `/self-service/verification?flow=${flow.id}&code=${code}`
    for (let i = 0; i < 8; i++) {
      await new Client(server).send('HEAD', link, { headers: { accept: 'text/html' } })
      const opened = await new Client(server).get(link, { accept: 'text/html' })
      assert.equal(opened.status, 303)
    }
    const ahead = await new Client(server).get(link, { 'sec-purpose': 'prefetch;prerender' })
    assert.equal(ahead.status, 403)
    assert.equal((await addressOf(person)).verified, false)
    assert.equal((await flow.submit({ code })).body.state, 'passed_challenge')
  })

  test('a link with a wrong code binds the flow to no browser', async () => {
    const person = await createPerson(server)
    const first = new Client(server)
    const { body } = await first.get('/self-service/verification/browser')
    const path = `/self-service/verification?flow=${body.id}`
    await first.send('POST', path, { json: { method: 'code', email: person.email, csrf_token: csrfOf(body) } })
    const stranger = new Client(server)
    const opened = await stranger.get(`${path}&code=${await wrongFor(person)}`, { accept: 'text/html' })
    assert.equal(opened.status, 303)
    const read = `/self-service/verification/flows?id=${body.id}`
    assert.deepEqual([(await stranger.get(read)).status, (await first.get(read)).status], [403, 200])
    const owner = new Client(server)
    await owner.get(`${path}&code=${await codeFor(person)}`, { accept: 'text/html' })
    assert.equal((await owner.get(read)).status, 200)
  })

  test('an unknown address gets the same answer, and nothing is queued', async () => {
    const person = await createPerson(server)
    const known = await asked(person.email)
    const unknown = await asked('nobody-here@example.com')
    const shape = (body: object, flow: string, email: string) =>
      JSON.stringify({ ...body, issued_at: '', expires_at: '' })
        .replaceAll(flow, 'FLOW')
        .replaceAll(email, 'EMAIL')
    assert.equal(
      shape(known.answer.body, known.id, person.email),
      shape(unknown.answer.body, unknown.id, 'nobody-here@example.com'),
    )
    assert.deepEqual(await messagesOf(server, 'nobody-here@example.com'), [])
  })

  test('blanks around an address are not meant', async () => {
    for (const spell of [(e: string) => `${e} `, (e: string) => `\u00a0${e}`, (e: string) => ` ${e.toUpperCase()}\n`]) {
      const person = await createPerson(server)
      const { answer } = await asked(spell(person.email))
      assert.deepEqual([answer.status, answer.body.state], [200, 'sent_email'])
      assert.equal((await messagesOf(server, person.email)).length, 1)
    }
  })

  describe('sent again by an operator', () => {
    const send = (identityId: string, json?: object, query = '') =>
      new Client(server).send('POST', `${server.adminUrl}/admin/identities/${identityId}/verification${query}`, {
        ...(json ? { json } : {}),
      })

    test('one call, one message, which the list knows and which verifies the address in any browser', async () => {
      const person = await createPerson(server)
      const { status, body } = await send(person.identityId)
      assert.deepEqual([status, body.via, body.address], [201, 'email', person.email])
      const listed = await new Client(server).get(`${server.adminUrl}/admin/courier/messages/${body.message_id}`)
      assert.deepEqual([listed.status, listed.body.recipient], [200, person.email])
      assert.equal((await messagesOf(server, person.email)).length, 1)
      assert.equal((await addressOf(person)).status, 'sent')
      const browser = new Client(second)
      const link = `/self-service/verification?flow=${body.flow_id}&code=${await codeFor(person)}`
      assert.equal((await browser.get(link, { accept: 'text/html' })).status, 303)
      const flow = (await browser.get(`/self-service/verification/flows?id=${body.flow_id}`)).body
      const json = { code: await codeFor(person), csrf_token: csrfOf(flow) }
      const done = await browser.send('POST', `/self-service/verification?flow=${flow.id}`, { json })
      assert.deepEqual([done.body.state, (await addressOf(person)).verified], ['passed_challenge', true])
    })

    test('refused with a reason, and nothing is sent', async () => {
      const person = await createPerson(server)
      const other = await createPerson(server)
      const nobody = '00000000-0000-4000-8000-000000000000'
      const replies = [
        await send(nobody),
        await send('ida'),
        await send(person.identityId, { address: other.email }),
        await send(person.identityId, { address: 1 }),
        await send(person.identityId, []),
        await send(person.identityId, undefined, '?return_to=https://evil.example'),
      ]
      assert.deepEqual(
        replies.map(({ status }) => status),
        [404, 404, 404, 400, 400, 400],
      )
      const patch = [{ op: 'replace', path: '/verifiable_addresses/0/verified', value: true }]
      const url = `${server.adminUrl}/admin/identities/${person.identityId}`
      assert.equal((await new Client(server).send('PATCH', url, { json: patch })).status, 200)
      assert.equal((await addressOf(person)).verified, true, 'marked by the operator')
      assert.deepEqual(
        [(await send(person.identityId)).status, (await send(person.identityId, { address: person.email })).status],
        [409, 409],
      )
      assert.deepEqual([await messagesOf(server, person.email), await messagesOf(server, other.email)], [[], []])
    })

    test('counts as any message to the address', async () => {
      const person = await createPerson(server)
      const statuses = []
      for (let i = 0; i < 12; i++) statuses.push((await send(person.identityId, { address: person.email })).status)
      assert.deepEqual([statuses.filter((one) => one === 201).length, statuses.at(-1)], [10, 429])
      assert.equal((await messagesOf(server, person.email)).length, 10)
    })
  })
})
