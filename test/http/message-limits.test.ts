import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Clock, type Micros, SECOND, systemClock } from '../../src/kernel/base/clock.ts'
import { Client, createPerson, type Reply } from '../helpers/client.ts'
import { closingScope, type Scope } from '../helpers/db.ts'
import { randomAddress } from '../helpers/mailbox.ts'
import { messagesOf } from '../helpers/messages.ts'
import { type TestServer, type TestServerOptions, testServer } from '../helpers/server.ts'

const PER_RECIPIENT = 4

const wall = systemClock()

/** Two nodes on one database, and one clock that a test may put ahead. */
async function twoNodes(scope: Scope, options: TestServerOptions) {
  let ahead = 0
  const clock: Clock = { now: () => wall.now() + ahead }
  const server = await testServer(scope, { ...options, clock })
  const second = await testServer(scope, { ...options, clock, db: server.db })
  const pass = (time: Micros) => {
    ahead += time
  }
  return { server, second, pass }
}

describe('messages that any client may ask for', () => {
  const scope = closingScope()
  let server: TestServer
  let second: TestServer
  let pass: (time: Micros) => void
  before(async () => {
    const config = { lethe: { limits: { messages: { per_recipient: PER_RECIPIENT, window: '10m' } } } }
    ;({ server, second, pass } = await twoNodes(scope, { wireConfig: 'recovery', config }))
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
    pass(601 * SECOND)
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

describe('text messages, for each of which the operator pays', () => {
  const scope = closingScope()
  let server: TestServer
  let second: TestServer
  let pass: (time: Micros) => void
  // no service for SMS: they stay queued
  const courier = { smtp: { connection_uri: 'smtp://127.0.0.1:1/' }, channels: [] }
  const limits = (sms: object) => ({
    lethe: { courier: { sms }, limits: { messages: { per_recipient: 0, window: '30m' } } },
  })
  before(async () => {
    ;({ server, second, pass } = await twoNodes(scope, { wireConfig: 'sms', config: { courier, ...limits({}) } }))
  })
  after(() => scope.close())

  async function person(phone: string): Promise<string> {
    const json = { schema_id: 'phone', traits: { phone } }
    assert.equal((await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, { json })).status, 201)
    return phone
  }
  const newNumber = (prefix = '+4930') => `${prefix}${String(Math.trunc(wall.now())).slice(-8)}`

  async function ask(identifier: string, on = server) {
    const client = new Client(on)
    const { id } = (await client.get('/self-service/login/api')).body
    const send = (json: object) => client.send('POST', `/self-service/login?flow=${id}`, { json })
    return { answer: await send({ method: 'code', identifier }), send }
  }
  const codes = async (phone: string) => (await messagesOf(server, phone)).map(({ data }) => data.login_code!)

  test('twenty asks in half a minute, on two nodes, in any spelling, are one message, and its code holds in all of them', async () => {
    const phone = await person(newNumber())
    const spellings = [phone, `${phone.slice(0, 5)} ${phone.slice(5)}`]
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ask(spellings[i % 2]!, i % 3 ? server : second)),
    )
    assert.deepEqual(new Set(asked.map(({ answer }) => answer.body.state)), new Set(['sent_email']))
    assert.equal((await codes(phone)).length, 1)
    const [code] = await codes(phone)
    const signedIn = await asked[7]!.send({ method: 'code', identifier: phone, code })
    assert.equal(signedIn.status, 200, signedIn.text)
    assert.equal((await asked[12]!.send({ method: 'code', identifier: phone, code })).status, 200)
    pass(31 * SECOND)
    await ask(phone)
    assert.equal(new Set(await codes(phone)).size, 2)
  })

  test('a person who asks the same flow for another one gets it, and the first is void there', async () => {
    const phone = await person(newNumber())
    const { send } = await ask(phone)
    const resent = await send({ method: 'code', identifier: phone, resend: 'code' })
    assert.equal(resent.body.state, 'sent_email')
    const [first, second] = await codes(phone)
    assert.equal(new Set(await codes(phone)).size, 2)
    assert.equal((await send({ method: 'code', identifier: phone, code: first! })).status, 400)
    assert.equal((await send({ method: 'code', identifier: phone, code: second! })).status, 200)
  })

  test('asks within the cool-down count as others do: each flow allows guesses at the code', async (t) => {
    await server.reconfigure({ lethe: { limits: { messages: { per_recipient: 3, window: '30m' } } } })
    t.after(() => server.reconfigure(limits({})))
    const phone = await person(newNumber())
    const statuses = []
    for (let i = 0; i < 5; i++) statuses.push((await ask(phone)).answer.status)
    assert.deepEqual(statuses, [400, 400, 400, 429, 429])
    assert.equal((await codes(phone)).length, 1)
  })

  test('one number gets so many a day, all numbers so many an hour, and those of other countries none', async (t) => {
    await server.reconfigure(limits({ cool_down: '0s', per_number: 2, per_hour: 5, allowed_prefixes: ['+4930'] }))
    t.after(() => server.reconfigure(limits({})))
    pass(3601 * SECOND)
    const [first, other] = [await person(newNumber()), await person(newNumber())]
    const foreign = await person(newNumber('+3310'))
    const statuses = async (phone: string, times: number) => {
      const all = []
      for (let i = 0; i < times; i++) all.push((await ask(phone)).answer)
      return all.map(({ status, body }) => body.error?.id ?? body.ui?.messages?.[0]?.id ?? status)
    }
    const SENT = 1010014
    assert.deepEqual(await statuses(first, 3), [SENT, SENT, 'too_many_messages'])
    assert.deepEqual(await statuses(foreign, 1), [4000001])
    assert.deepEqual(await codes(foreign), [])
    assert.deepEqual(await statuses(other, 2), [SENT, SENT])
    const third = await person(newNumber())
    assert.deepEqual(await statuses(third, 3), [SENT, 'too_many_messages', 'too_many_messages'])
    assert.equal(server.logs().match(/per_hour is reached/g)?.length, 1)
    pass(3601 * SECOND)
    assert.deepEqual(await statuses(third, 1), [SENT])
    assert.deepEqual(await statuses(first, 1), ['too_many_messages'])
  })

  test('one network gets so many an hour, whatever the numbers and the flows; a proxy that is not named is no network', async (t) => {
    await server.reconfigure(limits({ cool_down: '0s', per_number: 0, per_network: 3 }))
    t.after(() => server.reconfigure(limits({})))
    pass(3601 * SECOND)
    const people = []
    for (let i = 0; i < 5; i++) people.push(await person(newNumber()))
    const told = ({ status, body }: Reply) => body.error?.id ?? body.ui?.messages?.[0]?.id ?? status
    const SENT = 1010014
    const all = []
    for (const phone of people.slice(0, 4)) all.push(told((await ask(phone)).answer))
    assert.deepEqual(all, [SENT, SENT, SENT, 'too_many_messages'])
    assert.deepEqual(await codes(people[3]!), [])

    const client = new Client(server)
    const { id } = (await client.get('/self-service/registration/api')).body
    const json = { method: 'code', traits: { phone: newNumber() } }
    const registration = await client.send('POST', `/self-service/registration?flow=${id}`, { json })
    assert.equal(told(registration), 'too_many_messages', registration.text)

    const proxied = new Client(server)
    const headers = { 'x-forwarded-for': '203.0.113.9' }
    const flow = (await proxied.get('/self-service/login/api')).body
    const of = { json: { method: 'code', identifier: people[4] }, headers }
    assert.equal(told(await proxied.send('POST', `/self-service/login?flow=${flow.id}`, of)), SENT)
    pass(3601 * SECOND)
    assert.equal(told((await ask(people[3]!)).answer), SENT)
  })
})
