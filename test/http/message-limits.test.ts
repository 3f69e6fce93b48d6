import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Clock, SECOND, systemClock } from '../../src/kernel/base/clock.ts'
import { Client, createPerson } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { randomAddress } from '../helpers/mailbox.ts'
import { messagesOf } from '../helpers/messages.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const PER_RECIPIENT = 4

describe('messages that any client may ask for', () => {
  const scope = closingScope()
  let server: TestServer
  /** another node on the same database */
  let second: TestServer
  const wall = systemClock()
  let ahead = 0
  const clock: Clock = { now: () => wall.now() + ahead }
  before(async () => {
    const config = { lethe: { limits: { messages: { per_recipient: PER_RECIPIENT, window: '10m' } } } }
    const options = { wireConfig: 'recovery', config, clock }
    server = await testServer(scope, options)
    second = await testServer(scope, { ...options, db: server.db })
  })
  after(() => scope.close())

  async function ask(kind: 'recovery' | 'verification', email: string, on = server) {
    const { id } = (await new Client(on).get(`/self-service/${kind}/api`)).body
    return new Client(on).send('POST', `/self-service/${kind}?flow=${id}`, { json: { method: 'code', email } })
  }

  test('no more than so many go to one address, whichever flow, node and spelling they are asked with', async () => {
    const { email } = await createPerson(server)
    const spellings = [email, ` ${email}`, email.toUpperCase(), `${email} `]
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        ask(i % 2 ? 'recovery' : 'verification', spellings[i % 4]!, i % 3 ? server : second),
      ),
    )
    const refused = answers.filter(({ status }) => status === 429)
    assert.deepEqual([answers.length - refused.length, refused.length], [PER_RECIPIENT, 12 - PER_RECIPIENT])
    for (const { body, headers } of refused) {
      assert.equal(body.error.id, 'too_many_messages')
      const wait = Number(headers.get('retry-after'))
      assert.ok(wait > 0 && wait <= 600, `retry-after: ${wait}`)
    }
    assert.equal((await messagesOf(server, email)).length, PER_RECIPIENT)
    ahead += 601 * SECOND
    assert.equal((await ask('recovery', email)).status, 200)
  })

  test('an unknown address is limited alike', async () => {
    const { email } = await createPerson(server)
    const unknown = randomAddress()
    const statuses = async (address: string) => {
      const all = []
      for (let i = 0; i < PER_RECIPIENT + 2; i++)
        all.push((await ask('recovery', i % 2 ? address : ` ${address.toUpperCase()}`)).status)
      return all
    }
    const known = await statuses(email)
    assert.deepEqual(known, [200, 200, 200, 200, 429, 429])
    assert.deepEqual(await statuses(unknown), known)
  })

  test('a resend counts; a refusal leaves the code that was sent as it is', async () => {
    const { email } = await createPerson(server)
    const client = new Client(server)
    const { id } = (await client.get('/self-service/recovery/api')).body
    const submit = (json: object) => client.send('POST', `/self-service/recovery?flow=${id}`, { json })
    for (let i = 0; i < PER_RECIPIENT; i++) assert.equal((await submit({ method: 'code', email })).status, 200)
    assert.equal((await submit({ method: 'code', email })).status, 429)
    const sent = await messagesOf(server, email)
    assert.equal(sent.length, PER_RECIPIENT)
    const done = await submit({ code: sent.at(-1)!.data.recovery_code! })
    assert.equal(done.status, 422)
  })

  test('who comes with a new address is let in, and no message more goes out', async () => {
    const email = randomAddress()
    for (let i = 0; i < PER_RECIPIENT; i++) await ask('verification', email)
    const client = new Client(server)
    const { id } = (await client.get('/self-service/registration/api')).body
    const json = { method: 'password', traits: { email }, password: 'a-quiet-Harbour-92' }
    const registered = await client.send('POST', `/self-service/registration?flow=${id}`, { json })
    assert.equal(registered.status, 200, registered.text)
    assert.deepEqual(await messagesOf(server, email), [])
  })
})
