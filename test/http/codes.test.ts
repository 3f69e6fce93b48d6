import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, PASSWORD, type Person, type Reply, signInNative } from '../helpers/client.ts'
import { closingScope, postgres, type Scope } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { stoppedClock } from '../helpers/identities.ts'
import { lastCode, messagesOf } from '../helpers/messages.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const CODES = sql('test.login_codes', 'select code, address, used_at from identity_login_codes where identity_id = $1')

const START = Date.parse('2026-11-27T12:00:00Z')

/** Two nodes on one database, with a clock that only moves by hand. */
async function twoNodes(scope: Scope, wireConfig: string, steps: string[] = []) {
  const clock = stoppedClock()
  let now = START
  const pass = (seconds: number) => {
    now += seconds * 1000
    clock.set(new Date(now).toISOString())
  }
  pass(0)
  const options = { wireConfig, clock, config: { 'watch-courier': false } }
  const db = withFaults(await postgres.open(scope), { before: (step) => void steps.push(step) })
  const server = await testServer(scope, { ...options, db })
  const second = await testServer(scope, { ...options, db: server.db })
  return { server, second, pass }
}

const newEmail = () => `p${randomBytes(8).toString('hex')}@example.com`

async function personWith(server: TestServer): Promise<Person> {
  const email = newEmail()
  const credentials = { password: { config: { password: PASSWORD } } }
  const json = { schema_id: 'code', traits: { email }, credentials }
  const reply = await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, { json })
  assert.equal(reply.status, 201)
  return { identityId: reply.body.id, email, password: PASSWORD }
}

/** A native flow. Its submits go to whichever node is named. */
async function begin(server: TestServer, kind: 'login' | 'registration', query = '', headers = {}) {
  const flow = await new Client(server).get(`/self-service/${kind}/api${query}`, headers)
  const submit = (json: object, on = server) =>
    new Client(on).send('POST', `/self-service/${kind}?flow=${flow.body.id}`, {
      json: { method: 'code', ...json },
      headers,
    })
  return { flow: flow.body, submit }
}

const messageIds = ({ body }: Reply): number[] => (body.ui.messages ?? []).map(({ id }: { id: number }) => id)
const loginCode = (server: TestServer, email: string) => lastCode(server, email, 'login_code')
/** Codes that are wrong, each another one. */
const wrong = (right: string, n = 1) => String((Number(right) + n) % 1_000_000).padStart(6, '0')

describe('sign-in by code', () => {
  const scope = closingScope()
  let server: TestServer
  let second: TestServer
  let pass: (seconds: number) => void
  before(async () => {
    ;({ server, second, pass } = await twoNodes(scope, 'code-passwordless'))
  })
  after(() => scope.close())

  async function asked(person: Pick<Person, 'email'>) {
    const { submit } = await begin(server, 'login')
    pass(1) // messages are read in the order of their times
    const reply = await submit({ identifier: person.email })
    const send = (code: string, on = server) => submit({ identifier: person.email, code }, on)
    return { reply, submit, send }
  }

  test('of requests at once with one code, on two nodes, one signs in', async () => {
    const person = await personWith(server)
    const { send } = await asked(person)
    const code = await loginCode(server, person.email)
    const replies = await Promise.all([server, second, server, second].map((on) => send(code, on)))
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 400, 400, 400])
    const sessions = await new Client(server).get(`${server.adminUrl}/admin/identities/${person.identityId}/sessions`)
    assert.equal(sessions.body.length, 1)
    const again = await send(code)
    assert.deepEqual([again.status, again.body.state, messageIds(again)], [400, 'passed_challenge', [4010002]])
  })

  test('one message a request, and the code of the last one counts, on another node as well', async () => {
    const person = await personWith(server)
    const { send, submit } = await asked(person)
    assert.equal((await messagesOf(server, person.email)).length, 1)
    const first = await loginCode(server, person.email)
    pass(1)
    const resent = await submit({ identifier: person.email, resend: 'code', code: first })
    assert.deepEqual([resent.status, resent.body.state], [400, 'sent_email'])
    assert.equal((await messagesOf(server, person.email)).length, 2)
    const latest = await loginCode(server, person.email)
    if (first !== latest) assert.deepEqual(messageIds(await send(first)), [4010008])
    assert.equal((await send(latest, second)).status, 200)
  })

  test('five codes may be tried in a flow, sent at once or not, and those that are none are not counted', async () => {
    const person = await personWith(server)
    const { send } = await asked(person)
    const code = await loginCode(server, person.email)
    for (const text of ['', '12', 'no code at all', '1234567']) assert.equal((await send(text)).status, 400)
    const guesses = await Promise.all([1, 2, 3, 4, 5].map((n) => send(wrong(code, n), n % 2 ? server : second)))
    assert.deepEqual(guesses.flatMap(messageIds), Array(5).fill(4010008))
    const late = await send(code)
    assert.deepEqual([late.status, messageIds(late)], [400, [4000001]])
    assert.match(late.body.ui.messages[0].text, /too often/)
    assert.equal((await server.db.query(CODES, [person.identityId]))[0]?.used_at, null)
  })

  test('new flows bring no new guesses at an account; the password is another way', async () => {
    const person = await personWith(server)
    const statuses: number[] = []
    for (let n = 0; n < 6 && !statuses.includes(429); n += 1) {
      const { send } = await asked(person)
      const code = await loginCode(server, person.email)
      for (let i = 1; i <= 4; i += 1) statuses.push((await send(wrong(code, i))).status)
    }
    assert.ok(statuses.includes(429), 'the account is limited')
    const { send } = await asked(person)
    assert.equal((await send(await loginCode(server, person.email))).status, 429, 'also for the right code')
    await signInNative(server, person)
    pass(3600)
  })

  test('an expired code gives up the flow', async () => {
    const person = await personWith(server)
    const { send } = await asked(person)
    const code = await loginCode(server, person.email)
    pass(3601)
    const late = await send(code)
    assert.deepEqual([late.status, late.body.error.id], [410, 'self_service_flow_expired'])
    const fresh = await new Client(server).get(`/self-service/login/flows?id=${late.body.use_flow_id}`)
    assert.deepEqual([fresh.body.state, messageIds(fresh)], ['choose_method', [4010001]])
  })

  test('the code of one person signs in no other, nor does that of another flow', async () => {
    const [own, other] = [await personWith(server), await personWith(server)]
    const first = await asked(own)
    const code = await loginCode(server, own.email)
    const foreign = await first.submit({ identifier: other.email, code })
    assert.deepEqual([foreign.status, messageIds(foreign)], [400, [4010008]])
    const newer = await asked(own)
    const newCode = await loginCode(server, own.email)
    if (newCode !== code) assert.deepEqual(messageIds(await newer.send(code)), [4010008])
    assert.equal((await newer.send(newCode)).status, 200)
  })

  test('a code is read as people type and paste it', async () => {
    const spell = [
      (code: string) => `Code: ${code.slice(0, 3)} ${code.slice(3)}`,
      (code: string) => `${code.slice(0, 3)}-${code.slice(3)}\n`,
      (code: string) => code.replace(/[0-9]/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    ]
    for (const typed of spell) {
      const person = await personWith(server)
      const { submit } = await begin(server, 'login')
      await submit({ identifier: ` ${person.email.toUpperCase()} ` })
      const code = await loginCode(server, person.email)
      assert.equal((await submit({ identifier: person.email, code: typed(code) })).status, 200, typed('123456'))
    }
  })

  test('an address that is verified already keeps its time', async () => {
    const person = await personWith(server)
    const addressOf = async () =>
      (await new Client(server).get(`${server.adminUrl}/admin/identities/${person.identityId}`)).body
        .verifiable_addresses[0]
    const signInByCode = async () => {
      const { send } = await asked(person)
      assert.equal((await send(await loginCode(server, person.email))).status, 200)
    }
    await signInByCode()
    const verified = await addressOf()
    assert.equal(verified.verified, true)
    pass(60)
    await signInByCode()
    assert.deepEqual(await addressOf(), verified)
  })

  test('the code rests as the HMAC that Kratos stores', async () => {
    const person = await personWith(server)
    await asked(person)
    const [row] = await server.db.query<{ code: string; address: string }>(CODES, [person.identityId])
    assert.match(row!.code, /^[0-9a-f]{64}$/)
    assert.equal(row!.address, person.email)
  })
})

describe('sign-in by code where accounts must not be revealed', () => {
  const scope = closingScope()
  const steps: string[] = []
  let server: TestServer
  before(async () => {
    ;({ server } = await twoNodes(scope, 'code-quiet', steps))
  })
  after(() => scope.close())

  /** All that a stranger sees, without what is chance or what they have typed themselves. */
  async function seen(email: string) {
    const { flow, submit } = await begin(server, 'login')
    const replies = [
      await submit({ identifier: email }),
      await submit({ identifier: email, resend: 'code' }),
      await submit({ identifier: email }),
      await submit({ identifier: email, code: '' }),
      await submit({ identifier: email, code: '12' }),
    ]
    // A code that is right by chance would sign in: one in a million.
    for (let n = 0; n < 6; n += 1) replies.push(await submit({ identifier: email, code: '000000' }))
    return replies.map(({ status, text }) => [
      status,
      text
        .replaceAll(email, 'EMAIL')
        .replaceAll(flow.id, 'FLOW')
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'),
    ])
  }

  test('each answer is the same for an unknown address', async () => {
    const person = await personWith(server)
    assert.deepEqual(await seen(newEmail()), await seen(person.email))
    assert.equal((await messagesOf(server, person.email)).length, 2)
  })

  test('no message is sent to an unknown address', async () => {
    const email = newEmail()
    await seen(email)
    assert.deepEqual(await messagesOf(server, email), [])
  })

  test('an address gets so many messages and no more, known or not', async () => {
    const person = await personWith(server)
    async function statuses(identifier: string) {
      const { submit } = await begin(server, 'login')
      const replies: number[] = []
      for (let n = 0; n < 12; n += 1) replies.push((await submit({ identifier, resend: 'code' })).status)
      return replies
    }
    const known = await statuses(person.email)
    assert.deepEqual(known, [...Array(10).fill(400), 429, 429])
    assert.deepEqual(await statuses(newEmail()), known)
    assert.equal((await messagesOf(server, person.email)).length, 10)
  })

  test('no statement is left out for an unknown address', async () => {
    const person = await personWith(server)
    async function stepsFor(email: string) {
      const { submit } = await begin(server, 'login')
      steps.length = 0
      await submit({ identifier: email })
      await submit({ identifier: email, code: '000000' })
      // The message is stored in both cases, and kept or undone by one statement.
      return steps.map((step) => (step === 'courier.keep' ? 'courier.undo' : step))
    }
    const known = await stepsFor(person.email)
    assert.deepEqual(await stepsFor(newEmail()), known)
    assert.ok(known.some((step) => step.startsWith('login_code.')))
  })
})

describe('registration by code', () => {
  const scope = closingScope()
  let server: TestServer
  let second: TestServer
  let pass: (seconds: number) => void
  before(async () => {
    ;({ server, second, pass } = await twoNodes(scope, 'code-passwordless'))
  })
  after(() => scope.close())

  async function asked(email = newEmail()) {
    const { submit } = await begin(server, 'registration')
    pass(1)
    const traits = { email }
    const reply = await submit({ traits })
    const send = (code: string, on = server) => submit({ traits, code }, on)
    return { email, reply, submit, send, code: await lastCode(server, email, 'registration_code') }
  }
  const found = async (email: string) =>
    (await new Client(server).get(`${server.adminUrl}/admin/identities?credentials_identifier=${email}`)).body

  test('of requests at once with one code, on two nodes, one registers, with the credential of Kratos', async () => {
    const { email, send, code } = await asked()
    const replies = await Promise.all([server, second].map((on) => send(code, on)))
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 400])
    const [identity, ...others] = await found(email)
    assert.equal(others.length, 0)
    assert.equal(identity.verifiable_addresses[0].verified, true)
    const url = `${server.adminUrl}/admin/identities/${identity.id}?include_credential=code`
    const { code: credential } = (await new Client(server).get(url)).body.credentials
    assert.deepEqual([credential.version, credential.identifiers], [1, [email]])
    assert.deepEqual(credential.config, { addresses: [{ address: email, channel: 'email' }] })
    const login = await begin(server, 'login')
    pass(1)
    await login.submit({ identifier: email })
    assert.equal((await login.submit({ identifier: email, code: await loginCode(server, email) })).status, 200)
  })

  /** Wrong codes for an address in new flows, until it is limited. */
  async function guessed(email: string): Promise<number[]> {
    const statuses: number[] = []
    for (let n = 0; n < 6 && !statuses.includes(429); n += 1) {
      const other = await asked(email)
      for (let i = 1; i <= 4; i += 1) statuses.push((await other.send(wrong(other.code, i))).status)
    }
    return statuses
  }

  test('five codes may be tried in a flow, and new flows bring no new guesses at an address', async () => {
    const { email, send, code } = await asked()
    const guesses = await Promise.all([1, 2, 3, 4, 5].map((n) => send(wrong(code, n), n % 2 ? server : second)))
    assert.deepEqual(guesses.flatMap(messageIds), Array(5).fill(4040003))
    assert.deepEqual(messageIds(await send(code)), [4000001])
    const statuses = await guessed(email)
    assert.ok(statuses.includes(429), 'the address is limited')
    assert.deepEqual(await found(email), [])
  })

  test('a right code counts for nothing once others, judged at the same time, have used up the guesses', async () => {
    const { email, send, code } = await asked()
    const { guesses } = server.deps
    const { assertAllowed } = guesses
    guesses.assertAllowed = async (target) => {
      guesses.assertAllowed = assertAllowed
      await assertAllowed(target)
      await guessed(email)
    }
    assert.equal((await send(code)).status, 429)
    assert.deepEqual(await found(email), [])
  })

  test('an expired code ends the flow, and registers no identity', async () => {
    const { email, send, code } = await asked()
    pass(3601)
    const late = await send(code)
    assert.deepEqual([late.status, late.body.error.id], [410, 'self_service_flow_expired'])
    assert.deepEqual(await found(email), [])
  })

  test('the code of one address registers no other one, however often it is sent', async () => {
    const { submit, code } = await asked()
    const traits = { email: newEmail() }
    assert.deepEqual(messageIds(await submit({ traits, code })), [4000036])
    assert.deepEqual(messageIds(await submit({ traits, code })), [4040003])
    assert.deepEqual(await found(traits.email), [])
  })

  test('a taken address is answered and written to like any other; its code is used up', async () => {
    const person = await personWith(server)
    const [taken, free] = [await asked(person.email), await asked()]
    const shape = ({ status, body }: Reply) => [status, body.state, messageIds({ body } as Reply)]
    assert.deepEqual(shape(taken.reply), shape(free.reply))
    const refused = await taken.send(taken.code)
    assert.deepEqual([refused.status, refused.body.state, messageIds(refused)], [400, 'passed_challenge', [4000007]])
    assert.deepEqual(messageIds(await taken.send(taken.code)), [4010003])
  })
})

describe('a code as second factor', () => {
  const scope = closingScope()
  let server: TestServer
  let second: TestServer
  let pass: (seconds: number) => void
  before(async () => {
    ;({ server, second, pass } = await twoNodes(scope, 'code-mfa'))
  })
  after(() => scope.close())

  async function halfSignedIn() {
    const person = await personWith(server)
    const { token } = await signInNative(server, person)
    const headers = { 'x-session-token': token }
    const whoami = async () => (await new Client(server).get('/sessions/whoami', headers)).status
    const beginStepUp = async () => {
      pass(1)
      return begin(server, 'login', '?aal=aal2', headers)
    }
    return { person, headers, whoami, beginStepUp, code: () => loginCode(server, person.email) }
  }

  test('of requests at once with one code, on two nodes, one raises the session', async () => {
    const { whoami, beginStepUp, code } = await halfSignedIn()
    assert.equal(await whoami(), 403)
    const { flow, submit } = await beginStepUp()
    assert.equal(flow.state, 'sent_email')
    const right = await code()
    const replies = await Promise.all([server, second, server].map((on) => submit({ code: right }, on)))
    assert.equal(replies.filter(({ status }) => status === 200).length, 1)
    assert.equal(await whoami(), 200)
  })

  test('beginning again at once sends nothing: the button does', async () => {
    const { person, beginStepUp, code } = await halfSignedIn()
    await beginStepUp()
    const { flow, submit } = await beginStepUp()
    assert.equal((await messagesOf(server, person.email)).length, 1)
    const buttons = flow.ui.nodes.filter((node: any) => node.attributes.name === 'address')
    assert.deepEqual([flow.state, buttons.map((node: any) => node.attributes.value)], ['choose_method', [person.email]])
    const sent = await submit({ method: '', address: person.email })
    assert.equal(sent.body.state, 'sent_email')
    assert.equal((await messagesOf(server, person.email)).length, 2)
    assert.equal((await submit({ code: await code() })).status, 200)
    pass(61)
  })

  test('a code goes to no other address, and is asked for again without naming the address', async () => {
    const { person, beginStepUp, code } = await halfSignedIn()
    const other = await personWith(server)
    const { submit } = await beginStepUp()
    const foreign = await submit({ address: other.email, resend: 'code' })
    assert.deepEqual([foreign.status, messageIds(foreign)], [400, [4000035]])
    assert.deepEqual(await messagesOf(server, other.email), [])
    assert.deepEqual(messageIds(await submit({ code: wrong(await code()) })), [4010008])
    pass(1)
    const resent = await submit({ resend: 'code', identifier: '' })
    assert.equal(resent.body.state, 'sent_email')
    assert.equal((await messagesOf(server, person.email)).length, 2)
    assert.equal((await submit({ code: await code() })).status, 200)
  })

  test('new flows bring no new guesses at the account', async () => {
    const { person, headers, beginStepUp, code } = await halfSignedIn()
    const statuses: number[] = []
    for (let n = 0; n < 8 && !statuses.includes(429); n += 1) {
      const { flow, submit } = await beginStepUp()
      if (flow.state === 'choose_method') await submit({ address: person.email })
      const right = await code()
      for (let i = 1; i <= 4; i += 1) statuses.push((await submit({ code: wrong(right, i) })).status)
    }
    assert.ok(statuses.includes(429))
    assert.equal((await new Client(server).get('/sessions/whoami', headers)).status, 403)
  })

  test('counts only while it is switched on', async () => {
    const { whoami } = await halfSignedIn()
    assert.equal(await whoami(), 403)
    await server.reconfigure({ selfservice: { methods: { code: { mfa_enabled: false } } } })
    assert.equal(await whoami(), 200)
    await server.reconfigure({ selfservice: { methods: { code: { mfa_enabled: true } } } })
    assert.equal(await whoami(), 403)
  })
})

describe('sign-in by code, the identifier first', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    const flows = { login: { style: 'identifier_first' } }
    const config = { 'watch-courier': false, selfservice: { flows } }
    server = await testServer(scope, { wireConfig: 'code-passwordless', config })
  })
  after(() => scope.close())

  async function identified(identifier: string) {
    const { submit } = await begin(server, 'login')
    const reply = await submit({ method: 'identifier_first', identifier })
    const values = reply.body.ui.nodes.flatMap(({ attributes: { name, type, value } }: any) =>
      type === 'submit' ? `${name}=${value}` : [],
    )
    return { submit, reply, buttons: values as string[] }
  }

  test('a person with a password too chooses; a person without is sent a code at once', async () => {
    const person = await personWith(server)
    const choice = await identified(person.email)
    assert.deepEqual(choice.buttons.toSorted(), ['method=code', 'method=password'])
    assert.deepEqual(await messagesOf(server, person.email), [])
    const asked = await choice.submit({ identifier: person.email })
    assert.equal(asked.body.state, 'sent_email')
    assert.equal((await messagesOf(server, person.email)).length, 1)

    const email = newEmail()
    const json = { schema_id: 'code', traits: { email } }
    await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, { json })
    const { submit, reply, buttons } = await identified(email)
    assert.deepEqual([reply.body.state, buttons], ['sent_email', ['method=code', 'resend=code']])
    assert.equal((await submit({ identifier: email, code: await loginCode(server, email) })).status, 200)
    assert.equal((await messagesOf(server, email)).length, 1)
  })

  test('an unknown identifier is told, unless accounts must not be revealed', async () => {
    const person = await personWith(server)
    assert.deepEqual((await identified(newEmail())).buttons, ['method=identifier_first'])
    await server.reconfigure({ security: { account_enumeration: { mitigate: true } } })
    assert.deepEqual((await identified(newEmail())).buttons, (await identified(person.email)).buttons)
  })
})
