import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import {
  Client,
  createPerson,
  csrfOf,
  isSignedIn,
  PASSWORD,
  type Person,
  signIn,
  signInNative,
} from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { lastCode, messagesOf } from '../helpers/messages.ts'
import { linkApp } from '../helpers/second-factor.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const ENDED = sql(
  'test.ended',
  `select session_id, cause from lethe.events where identity_id = $1 and type = 'session.ended'`,
)
const PROVEN = sql('test.proven', 'update identity_verifiable_addresses set verified = $2 where identity_id = $1')
/** Another address of the account, as a schema with several of them makes. */
const ANOTHER = sql(
  'test.another_address',
  `with recovery as (
    insert into identity_recovery_addresses (id, via, value, identity_id, created_at, updated_at, nid)
    select gen_random_uuid(), via, $2, identity_id, created_at, updated_at, nid
    from identity_recovery_addresses where identity_id = $1)
  insert into identity_verifiable_addresses (id, status, via, verified, value, identity_id, created_at, updated_at, nid)
  select gen_random_uuid(), 'pending', via, false, $2, identity_id, created_at, updated_at, nid
  from identity_verifiable_addresses where identity_id = $1`,
)
const CODES = sql(
  'test.codes',
  'select count(*) as count from identity_recovery_codes where selfservice_recovery_flow_id = $1',
)

describe('recovery by code', () => {
  const scope = closingScope()
  let server: TestServer
  /** another node on the same database */
  let second: TestServer
  before(async () => {
    const options = { wireConfig: 'recovery-continue' }
    server = await testServer(scope, options)
    second = await testServer(scope, { ...options, db: server.db })
  })
  after(() => scope.close())

  /** An app that has asked for a code. */
  async function asked(person: Pick<Person, 'email'>, email = person.email) {
    const client = new Client(server)
    const { id } = (await client.get('/self-service/recovery/api')).body
    const submit = (json: object, on = server) =>
      new Client(on).send('POST', `/self-service/recovery?flow=${id}`, { json })
    const answer = await submit({ method: 'code', email })
    return { id: id as string, submit, answer }
  }
  const codeFor = ({ email }: Person) => lastCode(server, email, 'recovery_code')
  const messageIds = (body: { ui: { messages?: { id: number }[] } }) => (body.ui.messages ?? []).map(({ id }) => id)
  const tokenOf = (body: { continue_with: { action: string; ory_session_token?: string }[] }) =>
    body.continue_with.find(({ action }) => action === 'set_ory_session_token')?.ory_session_token

  test('the code signs in, once, and leads to settings that take a new password', async () => {
    const person = await createPerson(server)
    const flow = await asked(person)
    const done = await flow.submit({ code: await codeFor(person) })
    assert.deepEqual([done.status, done.body.state], [200, 'passed_challenge'])
    const headers = { 'x-session-token': tokenOf(done.body)! }
    const settings = done.body.continue_with.find((one: { action: string }) => one.action === 'show_settings_ui').flow
      .id
    const client = new Client(server)
    const changed = await client.send('POST', `/self-service/settings?flow=${settings}`, {
      headers,
      json: { method: 'password', password: 'another-Harbour-31' },
    })
    assert.equal(changed.status, 200)
    const again = await flow.submit({ code: await codeFor(person) })
    assert.equal(again.status, 400)
    assert.match(again.body.error.reason, /already used/)
  })

  test('a message tells the minutes of the flow where that ends before the code', async () => {
    const selfservice = { flows: { recovery: { lifespan: '20m' }, verification: { lifespan: '10m' } } }
    const short = await testServer(scope, { wireConfig: 'recovery', db: server.db, config: { selfservice } })
    for (const [kind, minutes] of [
      ['recovery', 20],
      ['verification', 10],
    ] as const) {
      const person = await createPerson(server)
      const { id } = (await new Client(short).get(`/self-service/${kind}/api`)).body
      const json = { method: 'code', email: person.email }
      await new Client(short).send('POST', `/self-service/${kind}?flow=${id}`, { json })
      const [message] = await messagesOf(server, person.email)
      assert.equal(message?.data.expires_in_minutes, minutes)
    }
  })

  test('of several submits of one code at a time, on two nodes, one signs in', async () => {
    const person = await createPerson(server)
    const flow = await asked(person)
    const code = await codeFor(person)
    const answers = await Promise.all([server, second, server, second].map((on) => flow.submit({ code }, on)))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    const sessions = await new Client(server).get(`${server.adminUrl}/admin/identities/${person.identityId}/sessions`)
    assert.equal(sessions.body.length, 1)
  })

  test('five codes may be tried, whichever node they are sent to', async () => {
    const person = await createPerson(server)
    const flow = await asked(person)
    const code = await codeFor(person)
    const wrong = code === '000000' ? '000001' : '000000'
    for (const on of [server, second, server, second, server]) {
      const { status, body } = await flow.submit({ code: wrong }, on)
      assert.deepEqual([status, messageIds(body)], [200, [4060006]])
    }
    const late = await flow.submit({ code }, second)
    assert.equal(late.status, 400)
    assert.match(late.body.error.reason, /too often/)
  })

  test('codes sent at once are counted one by one', async () => {
    const person = await createPerson(server)
    const flow = await asked(person)
    const code = await codeFor(person)
    const wrong = code === '000000' ? '000001' : '000000'
    const answers = await Promise.all(Array.from({ length: 12 }, () => flow.submit({ code: wrong })))
    assert.equal(answers.filter(({ status }) => status === 200).length, 5)
  })

  test('a code is taken however it is spelled, and what is none is no try', async () => {
    for (const spell of [
      (c: string) => `${c.slice(0, 3)} ${c.slice(3)}`,
      (c: string) => `${c.slice(0, 3)}-${c.slice(3)}`,
      (c: string) => `${c}\n`,
      (c: string) => ` ${c}`,
      (c: string) => `Code: ${c}`,
      (c: string) => [...c].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join(''),
      (c: string) => Number(c),
      (c: string) => `${c.slice(0, 3)}\u00a0${c.slice(3)}`,
    ]) {
      const person = await createPerson(server)
      const flow = await asked(person)
      const code = await codeFor(person)
      for (const none of ['', '12345', '1234567', 'abcdef', '9'.repeat(100_000), code.slice(1), `${code}0`]) {
        const { status, body } = await flow.submit({ code: none })
        assert.deepEqual([status, messageIds(body)], [200, [4060006]])
      }
      const { status, body } = await flow.submit({ code: spell(code) })
      assert.deepEqual([status, body.state], [200, 'passed_challenge'], String(spell(code)))
    }
  })

  test('blanks around an address are not meant', async () => {
    for (const spell of [(e: string) => `${e} `, (e: string) => `\u00a0${e}`, (e: string) => ` ${e.toUpperCase()}\n`]) {
      const person = await createPerson(server)
      const { answer } = await asked(person, spell(person.email))
      assert.deepEqual([answer.status, answer.body.state], [200, 'sent_email'])
      assert.equal((await messagesOf(server, person.email)).length, 1)
    }
  })

  test('an unknown address gets the same answer; nothing is queued and no code is stored', async () => {
    const person = await createPerson(server)
    const known = await asked(person)
    const unknown = await asked({ email: 'nobody-at-all@example.com' })
    const shape = (body: object, flow: string, email: string) =>
      JSON.stringify({ ...body, issued_at: '', expires_at: '' })
        .replaceAll(flow, 'FLOW')
        .replaceAll(email, 'EMAIL')
    assert.equal(
      shape(known.answer.body, known.id, person.email),
      shape(unknown.answer.body, unknown.id, 'nobody-at-all@example.com'),
    )
    assert.deepEqual(await messagesOf(server, 'nobody-at-all@example.com'), [])
    const [codes] = await server.db.query<{ count: number }>(CODES, [unknown.id])
    assert.equal(codes?.count, 0)
  })

  test('a new code takes the place of the old one, also when both are asked for at once', async () => {
    const person = await createPerson(server)
    const flow = await asked(person)
    await Promise.all(Array.from({ length: 4 }, () => flow.submit({ method: 'code', email: person.email })))
    const [codes] = await server.db.query<{ count: number }>(CODES, [flow.id])
    assert.equal(codes?.count, 1)
  })

  test('an account that is disabled uses up its code and gets no session', async () => {
    const person = await createPerson(server)
    const flow = await asked(person)
    const url = `${server.adminUrl}/admin/identities/${person.identityId}`
    await new Client(server).send('PATCH', url, { json: [{ op: 'replace', path: '/state', value: 'inactive' }] })
    const code = await codeFor(person)
    assert.equal((await flow.submit({ code })).status, 401)
    await new Client(server).send('PATCH', url, { json: [{ op: 'replace', path: '/state', value: 'active' }] })
    assert.equal((await flow.submit({ code })).status, 400)
  })

  test('an app that gets no token gets no session either', async () => {
    const plain = await testServer(scope, { wireConfig: 'recovery', db: server.db })
    const person = await createPerson(server)
    const flow = await asked(person)
    const done = await flow.submit({ code: await codeFor(person) }, plain)
    assert.equal(done.status, 422)
    const sessions = await new Client(server).get(`${server.adminUrl}/admin/identities/${person.identityId}/sessions`)
    assert.deepEqual(sessions.body, [])
  })

  test('with end_on_recovery the sessions that there were end, each as an event', async () => {
    const config = { lethe: { sessions: { end_on_recovery: 'others' } } }
    const strict = await testServer(scope, { wireConfig: 'recovery-continue', db: server.db, config })
    const person = await createPerson(server)
    const before = [await signInNative(server, person), await signInNative(server, person)]
    const flow = await asked(person)
    const done = await flow.submit({ code: await codeFor(person) }, strict)
    const client = new Client(server)
    for (const { token } of before) assert.equal(await isSignedIn(client, { 'x-session-token': token }), false)
    assert.equal(await isSignedIn(client, { 'x-session-token': tokenOf(done.body)! }), true)
    const events = await server.db.query<{ session_id: string; cause: string }>(ENDED, [person.identityId])
    assert.deepEqual(
      events.map(({ session_id, cause }) => `${session_id} ${cause}`).sort(),
      before.map(({ sessionId }) => `${sessionId} recovery`).sort(),
    )
  })

  test('both spellings of a domain with umlauts find one person, and mail goes to the ASCII one', async () => {
    const name = `p${randomBytes(6).toString('hex')}`
    const [stored, typed] = [`${name}@xn--mller-kva.example`, `${name}@Müller.example`]
    const json = {
      schema_id: 'default',
      traits: { email: stored },
      credentials: { password: { config: { password: PASSWORD } } },
    }
    const made = await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, { json })
    for (const email of [typed, stored, typed.toUpperCase(), `${name}@mu\u0308ller.example`]) {
      const { token } = await signInNative(server, { identityId: made.body.id, email, password: PASSWORD })
      assert.equal(await isSignedIn(new Client(server), { 'x-session-token': token }), true, email)
    }
    const flow = await asked({ email: typed })
    assert.deepEqual([flow.answer.status, (await messagesOf(server, stored)).length], [200, 1])
    const { id } = (await new Client(server).get('/self-service/verification/api')).body
    const verify = { json: { method: 'code', email: typed } }
    const sent = await new Client(server).send('POST', `/self-service/verification?flow=${id}`, verify)
    assert.deepEqual([sent.status, (await messagesOf(server, stored)).length], [200, 2])
  })

  describe('of an account that a stranger made with the address of somebody else', () => {
    /** The stranger's password, app and session, in an account whose address is theirs to prove or not. */
    async function made(isProven: boolean, firstProof: 'keep' | 'reclaim') {
      const config = {
        lethe: { recovery: { first_proof: firstProof } },
        session: { whoami: { required_aal: 'highest_available' } },
      }
      const node = await testServer(scope, { wireConfig: 'recovery-continue', db: server.db, config })
      const person = await createPerson(server)
      await server.db.query(PROVEN, [person.identityId, isProven])
      const stranger = await signInNative(server, person)
      await linkApp(server, person)
      const flow = await asked(person)
      const done = await flow.submit({ code: await codeFor(person) }, node)
      const headers = { 'x-session-token': tokenOf(done.body)! }
      const client = new Client(node)
      const statuses = {
        owner: (await client.get('/sessions/whoami', headers)).status,
        stranger: (await new Client(server).get('/sessions/whoami', { 'x-session-token': stranger.token })).status,
      }
      const settings = done.body.continue_with.find((one: { action: string }) => one.action === 'show_settings_ui').flow
        .id
      const json = { method: 'password', password: 'another-Harbour-31' }
      const changed = async () =>
        (await client.send('POST', `/self-service/settings?flow=${settings}`, { headers, json })).status
      const oldPassword = () =>
        signInNative(server, person).then(
          () => true,
          () => false,
        )
      return { person, statuses, changed, oldPassword }
    }

    test('with first_proof: reclaim, the owner has it alone, and sets a password of their own', async () => {
      const { person, statuses, changed, oldPassword } = await made(false, 'reclaim')
      assert.deepEqual(statuses, { owner: 200, stranger: 401 })
      assert.equal(await oldPassword(), false)
      const events = await server.db.query<{ cause: string }>(ENDED, [person.identityId])
      assert.deepEqual(
        events.map(({ cause }) => cause),
        ['recovery'],
      )
      assert.equal(await changed(), 200)
      const own = await signInNative(server, { ...person, password: 'another-Harbour-31' })
      assert.equal(await isSignedIn(new Client(server), { 'x-session-token': own.token }), true)
    })

    test('the stranger does not come back by another address of it, nor by a code from before', async () => {
      const config = { lethe: { recovery: { first_proof: 'reclaim' } } }
      const node = await testServer(scope, { wireConfig: 'recovery-continue', db: server.db, config })
      const [person, spare] = [await createPerson(server), `spare-${randomBytes(6).toString('hex')}@example.org`]
      await server.db.query(ANOTHER, [person.identityId, spare])
      const early = await asked(person, spare)
      const earlyCode = await lastCode(server, spare, 'recovery_code')
      assert.equal((await (await asked(person)).submit({ code: await codeFor(person) }, node)).status, 200)
      const late = await asked(person, spare)
      const lateCode = await lastCode(server, spare, 'recovery_code')
      for (const [flow, code] of [
        [early, earlyCode],
        [late, lateCode],
      ] as const) {
        const { status, body } = await flow.submit({ code }, node)
        assert.equal(status, 400)
        assert.equal(tokenOf({ continue_with: body.continue_with ?? [] }), undefined)
      }
      const again = await asked(person)
      assert.equal((await again.submit({ code: await codeFor(person) }, node)).status, 200)
    })

    test('an account whose address was verified before keeps its factors', async () => {
      const { statuses, oldPassword } = await made(true, 'reclaim')
      assert.deepEqual([statuses.owner, await oldPassword()], [403, true])
    })

    test('without it everything stays, as in Kratos', async () => {
      const { statuses, oldPassword } = await made(false, 'keep')
      assert.deepEqual([statuses.owner, await oldPassword()], [403, true])
    })
  })

  test('a browser that is signed in to another account by now ends that session', async () => {
    const [person, other] = [await createPerson(server), await createPerson(server)]
    const client = new Client(server)
    const { body } = await client.get('/self-service/recovery/browser')
    const submit = (json: object) => client.send('POST', `/self-service/recovery?flow=${body.id}`, { json })
    await submit({ method: 'code', email: person.email, csrf_token: csrfOf(body) })
    const { sessionId } = await signIn(client, other)
    const form = (await client.get('/self-service/settings/browser')).body
    const done = await submit({ code: await codeFor(person), csrf_token: csrfOf(form) })
    assert.equal(done.status, 200)
    assert.equal((await client.get('/sessions/whoami')).body.identity.id, person.identityId)
    const events = await server.db.query<{ session_id: string; cause: string }>(ENDED, [other.identityId])
    assert.deepEqual(events, [{ session_id: sessionId, cause: 'logout' }])
  })

  test('a script that sends JSON is told that somebody is signed in, whatever it accepts; a page is led home', async () => {
    const person = await createPerson(server)
    const client = new Client(server)
    const { id, ui } = (await client.get('/self-service/recovery/browser')).body
    await signIn(client, person)
    const json = { method: 'code', email: person.email, csrf_token: csrfOf({ ui }) }
    const [submit, begin] = [`/self-service/recovery?flow=${id}`, '/self-service/recovery/browser']
    const headers = { accept: '*/*', 'content-type': 'application/json' }
    for (const told of [await client.send('POST', submit, { json, headers }), await client.get(begin, headers)]) {
      assert.deepEqual([told.status, told.body?.error?.id], [400, 'session_already_available'])
    }
    const page = { accept: 'text/html' }
    for (const led of [
      await client.send('POST', submit, { form: json, headers: page }),
      await client.get(begin, page),
    ]) {
      assert.equal(led.status, 302)
    }
  })
})

describe('recovery by link', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await testServer(scope, { wireConfig: 'link' })
  })
  after(() => scope.close())

  /** The path of a link that was sent. */
  async function linkTo(person: Person): Promise<string> {
    const { id } = (await new Client(server).get('/self-service/recovery/api')).body
    const path = `/self-service/recovery?flow=${id}`
    await new Client(server).send('POST', path, { json: { method: 'link', email: person.email } })
    const link = new URL(await lastCode(server, person.email, 'recovery_url'))
    return link.pathname + link.search
  }
  async function verificationLinkTo({ email }: Person): Promise<string> {
    const { id } = (await new Client(server).get('/self-service/verification/api')).body
    await new Client(server).send('POST', `/self-service/verification?flow=${id}`, { json: { method: 'link', email } })
    const link = new URL(await lastCode(server, email, 'verification_url'))
    return link.pathname + link.search
  }
  const sessionsOf = async ({ identityId }: Person) =>
    (await new Client(server).get(`${server.adminUrl}/admin/identities/${identityId}/sessions`)).body

  test('of several browsers that open a link at once, one is signed in', async () => {
    const person = await createPerson(server)
    const link = await linkTo(person)
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => new Client(server).get(link, { accept: 'text/html' })),
    )
    const leads = answers.map(({ headers }) => new URL(headers.get('location')!).pathname).sort()
    assert.deepEqual(leads, ['/recovery', '/recovery', '/recovery', '/settings'])
    assert.equal((await sessionsOf(person)).length, 1)
  })

  test('HEAD, and a browser that fetches ahead, leave a link as it is', async () => {
    const person = await createPerson(server)
    const link = await linkTo(person)
    assert.equal((await new Client(server).send('HEAD', link, { headers: { accept: 'text/html' } })).status, 303)
    for (const header of ['sec-purpose', 'purpose', 'x-moz'])
      assert.equal((await new Client(server).get(link, { [header]: 'prefetch' })).status, 403)
    assert.deepEqual(await sessionsOf(person), [])
    assert.match((await new Client(server).get(link, { accept: 'text/html' })).headers.get('location')!, /settings/)
  })

  test('with a confirmation, gateways open links as often as they like, and the owner then presses the button', async (t) => {
    await server.reconfigure({ lethe: { links: { confirm: true } } })
    t.after(() => server.reconfigure({ lethe: { links: { confirm: false } } }))
    const person = await createPerson(server)
    const browser = { accept: 'text/html' }
    for (const kind of ['recovery', 'verification'] as const) {
      const link = kind === 'recovery' ? await linkTo(person) : await verificationLinkTo(person)
      for (let i = 0; i < 3; i++) assert.equal((await new Client(server).get(link, browser)).status, 200)
      assert.equal((await new Client(server).get(link, { accept: 'application/json' })).status, 403)
      const pressed = await new Client(server).send('POST', link, { headers: browser, form: { csrf_token: 'x' } })
      assert.deepEqual([pressed.status, pressed.headers.get('location')], [200, null])
      const client = new Client(server)
      const page = await client.get(link, browser)
      const [, token] = /name="csrf_token" value="([^"]+)"/.exec(page.text)!
      const action = link.replace(/\?.*/, /action="([^"]+)"/.exec(page.text)![1]!.replaceAll('&amp;', '&'))
      const used = await client.send('POST', action, { headers: browser, form: { csrf_token: token! } })
      assert.equal(used.status, 303, used.text)
      if (kind === 'recovery') assert.match(used.headers.get('location')!, /settings/)
    }
    const { body } = await new Client(server).get(`${server.adminUrl}/admin/identities/${person.identityId}`)
    assert.deepEqual([body.verifiable_addresses[0].verified, (await sessionsOf(person)).length], [true, 1])

    const own = new Client(server)
    const begun = await own.get('/self-service/recovery/browser', browser)
    const path = `/self-service/recovery?flow=${new URL(begun.headers.get('location')!).searchParams.get('flow')}`
    const csrf_token = csrfOf((await own.get(path.replace('?flow', '/flows?id'))).body)
    await own.send('POST', path, { json: { method: 'link', email: person.email, csrf_token } })
    const { pathname, search } = new URL(await lastCode(server, person.email, 'recovery_url'))
    assert.equal((await own.get(pathname + search, browser)).status, 303, 'the browser that asked goes on at once')
  })

  test('the secret of a link stands nowhere once it is used', async () => {
    const person = await createPerson(server)
    const link = await linkTo(person)
    const client = new Client(server)
    const opened = await client.get(link, { accept: 'text/html' })
    const settings = new URL(opened.headers.get('location')!).searchParams.get('flow')
    const { text } = await client.get(`/self-service/settings/flows?id=${settings}`)
    const token = new URLSearchParams(link.split('?')[1]).get('token')!
    assert.ok(!text.includes(token) && !server.logs().includes(token))
  })
})
