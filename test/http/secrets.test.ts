import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { describe, test } from 'node:test'
import { StoreError, StoreUnavailable } from '../../src/kernel/db/client.ts'
import { createPerson, PASSWORD, type Person } from '../helpers/client.ts'
import { adopted, postgres, type Scope } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { Spy } from '../helpers/spy.ts'

/**
 * A long way through everything, also with things that go wrong. Afterwards whatever left the server where secrets do
 * not belong is searched for every secret there was: logs, metrics, errors, redirects, headers, tables.
 */

const csrfOf = (body: any) =>
  body.ui.nodes.find((n: any) => n.attributes.name === 'csrf_token').attributes.value as string
const pathOf = (url: string) => new URL(url).pathname + new URL(url).search

async function browserLogin(spy: Spy, { email, password }: Person, as: 'script' | 'form') {
  const client = spy.client()
  const flow = (await client.get('/self-service/login/browser')).body
  const form = { method: 'password', identifier: email, password, csrf_token: csrfOf(flow) }
  const wrong = { ...form, password: 'the-wrong-Password-1' }
  spy.keep('wrong password', wrong.password)
  const send = (body: typeof form) =>
    as === 'script'
      ? client.send('POST', pathOf(flow.ui.action), { json: body })
      : client.send('POST', pathOf(flow.ui.action), { form: body, headers: { accept: 'text/html' } })
  await send(wrong)
  await send({ ...form, csrf_token: 'wrong' })
  const reply = await send({ ...form, csrf_token: csrfOf((await client.get('/self-service/login/browser')).body) })
  assert.ok(reply.status === 200 || reply.status === 303, reply.text)
  return client
}

async function nativeLogin(spy: Spy, { email, password }: Person) {
  const client = spy.client()
  const flow = (await client.get('/self-service/login/api')).body
  const json = { method: 'password', identifier: email, password }
  const { body } = await client.send('POST', pathOf(flow.ui.action), { json })
  assert.ok(body.session_token)
  return { client, token: body.session_token as string, id: body.session.id as string }
}

/** Tokens and passwords at every place where somebody could put them by mistake. */
async function mistakes(spy: Spy, person: Person) {
  const { client, token, id } = await nativeLogin(spy, person)
  const other = await nativeLogin(spy, person)
  const headers = { 'x-session-token': token }
  const { logout_token } = (await other.client.get('/self-service/logout/browser', { 'x-session-token': other.token }))
    .body
  for (const accept of ['application/json', 'text/html']) {
    const as = { ...headers, accept }
    const get = (path: string) => client.get(path, as)
    await get(`/self-service/logout?token=${logout_token}`)
    await get(`/self-service/logout?token=${token}`)
    await get(`/sessions/${token}`)
    await get(`/${token}`)
    await get(`/self-service/login/flows?id=${token}`)
    await get(`/self-service/errors?id=${token}`)
    await get(`/ui/login?flow=${token}`)
    await client.send('DELETE', `/sessions/${token}`, { headers: as })
    await client.send('POST', `/self-service/logout?token=${logout_token}`, { headers: as })
    for (const body of [
      `{"session_token": "${token}"`,
      `{"session_token": ${token}}`,
      `{"session_token": {"a": "${token}"}}`,
      `{"password": ${person.password}, "identifier": "x"}`,
      `session_token=${token}&password=${person.password}`,
      `{"session_ids": ["${token}"], "scope": "${token}", "csrf_token": "${token}"}`,
      `{"method": "password", "identifier": "${person.password}", "password": "${person.password}"`,
    ]) {
      for (const [method, path] of [
        ['DELETE', '/self-service/logout/api'],
        ['POST', '/self-service/logout'],
        ['POST', `/self-service/login?flow=${id}`],
        ['POST', `/self-service/login?flow=${token}`],
        ['POST', `/self-service/registration?flow=${id}`],
        ['POST', `/self-service/settings?flow=${id}`],
        ['POST', `${spy.server.adminUrl}/admin/identities`],
        ['PUT', `${spy.server.adminUrl}/admin/identities/${person.identityId}`],
        ['PATCH', `${spy.server.adminUrl}/admin/identities/${person.identityId}`],
      ] as const)
        for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain'])
          await client.send(method, path, { body, headers: { ...as, 'content-type': type } })
    }
  }
  await client.get('/sessions/whoami', { authorization: `Basic ${token}`, cookie: `ory_kratos_session=${token}` })
  await malformed(spy.server.publicUrl, token)
}

/** Requests that do not even become one. */
async function malformed(url: string, token: string) {
  const { hostname, port } = new URL(url)
  for (const text of [
    `GET /self-service/logout?token=${token} HTTP/1.1\r\nHost: x\r\nX-Session-Token: ${token}\0\r\n\r\n`,
    `GET /%zz?token=${token} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\nX-Session-Token: ${token}${'x'.repeat(70_000)}\r\n\r\n`,
  ])
    await new Promise<void>((resolve) => {
      const socket = net.connect(Number(port), hostname, () => socket.write(text))
      socket.on('error', () => {})
      socket.on('data', () => {})
      socket.on('close', () => resolve())
    })
}

async function settings(spy: Spy, person: Person) {
  const { client, token } = await nativeLogin(spy, person)
  const headers = { 'x-session-token': token }
  const flow = (await client.get('/self-service/settings/api', headers)).body
  for (const password of ['short', person.email, 'another-Quiet-Harbour-3']) {
    if (password !== person.email) spy.keep('new password', password)
    await client.send('POST', pathOf(flow.ui.action), { headers, json: { method: 'password', password } })
  }
}

async function administration(spy: Spy, person: Person) {
  const client = spy.client()
  const admin = `${spy.server.adminUrl}/admin`
  const hash = '$2a$04$4rJcgLXh4VHIlqaU0Ox1Z.X8t5YyB7C9XJ0BsaD1P2Q3R4S5T6U7V'
  const odd = '$unknown$hash$of-a-password-that-is-kept-elsewhere'
  for (const value of [hash, odd]) spy.keep('password hash', value)
  const body = (config: object) => ({
    schema_id: 'default',
    traits: { email: `${randomBytes(6).toString('hex')}@example.com` },
    credentials: { password: { config } },
  })
  for (const config of [
    { hashed_password: hash },
    { hashed_password: odd },
    { password: 'x' },
    { hashed_password: 7 },
  ]) {
    await client.send('POST', `${admin}/identities`, { json: body(config) })
    await client.send('PUT', `${admin}/identities/${person.identityId}`, { json: { ...body(config), state: 'active' } })
    await client.send('PATCH', `${admin}/identities`, { json: { identities: [{ create: body(config) }] } })
  }
  await client.get(`${admin}/identities/${person.identityId}?include_credential=password`)
  await client.get(`${admin}/identities/${person.identityId}?include_credential=nonsense`)
  await client.get(`${admin}/sessions?expand=identity&expand=devices`)
  await client.get(`${admin}/identities?credentials_identifier=${encodeURIComponent(person.email)}`)
}

async function logouts(spy: Spy, person: Person) {
  for (const as of ['script', 'form'] as const) {
    const client = await browserLogin(spy, person, as)
    await client.get('/sessions/whoami')
    await client.get('/sessions')
    await client.get('/ui/welcome', { accept: 'text/html' })
    await client.get('/logout', { accept: 'text/html' })
    const { body } = await client.get('/self-service/logout/browser?return_to=http%3A%2F%2F127.0.0.1%3A4455%2Fbye')
    await client.send('POST', '/self-service/logout', { json: { csrf_token: 'wrong' } })
    await client.send('POST', '/self-service/logout', {
      form: { csrf_token: 'wrong' },
      headers: { accept: 'text/html' },
    })
    await client.get(`/self-service/logout?token=${body.logout_token}&return_to=https%3A%2F%2Fevil.test%2F`, {
      accept: 'text/html',
    })
    const reply = await client.get(pathOf(body.logout_url), {
      accept: as === 'form' ? 'text/html' : 'application/json',
    })
    assert.ok(reply.status === 303 || reply.status === 204)
    await client.get(pathOf(body.logout_url), { accept: 'text/html' })
  }
  const { client, token } = await nativeLogin(spy, person)
  for (const session_token of [token, token, `${token}x`])
    await client.send('DELETE', '/self-service/logout/api', { json: { session_token } })
}

for (const backend of [postgres, adopted]) {
  describe(`secrets stay where they belong, on ${backend.name}`, () => {
    test('no log, metric, error, redirect, header or table tells one', async (t) => {
      let broken: (() => Error) | undefined
      let after = 0
      const before = () => {
        if (broken && after-- <= 0) throw broken()
      }
      const db = withFaults(await backend.open(t as Scope), { before })
      const config = { lethe: { ui: { enabled: true }, limits: { login: { per_identifier: 0, per_address: 0 } } } }
      const server = await testServer(t as Scope, { db, config, logLevel: 'trace' })
      const spy = new Spy(server)
      spy.keep('password', PASSWORD)
      for (const secret of Object.values(server.deps.config().secrets).flat(2)) spy.keep('configured secret', secret)
      spy.keep('server secret', Buffer.from(server.deps.meta.serverSecret).toString('hex'))
      const everything = async () => {
        const person = await createPerson(server)
        await logouts(spy, person)
        await mistakes(spy, person)
        await settings(spy, person)
        await administration(spy, person)
      }
      await everything()
      // Once more while statements fail, each time a little later.
      const person = await createPerson(server)
      const { client, token } = await nativeLogin(spy, person)
      const signedIn = await browserLogin(spy, person, 'script')
      for (const failure of [
        () => new StoreError('no such thing', '42P01'),
        () => new StoreUnavailable('away'),
        () => new TypeError(`cannot read ${token}`),
      ]) {
        for (let at = 0; at < 6; at++) {
          const flow = (await client.get('/self-service/login/api')).body
          const json = { method: 'password', identifier: person.email, password: person.password }
          for (const call of [
            () => client.send('POST', pathOf(flow.ui.action), { json }),
            () => client.get('/self-service/logout/browser', { 'x-session-token': token }),
            () => client.send('DELETE', '/self-service/logout/api', { json: { session_token: token } }),
            () => signedIn.get('/self-service/logout?token=ory_lo_x', { accept: 'text/html' }),
            () => client.send('POST', '/self-service/logout', { json: {}, headers: { 'x-session-token': token } }),
          ]) {
            broken = failure
            after = at
            await call()
            broken = undefined
          }
        }
      }
      spy.told.push({ where: 'the log', text: server.logs() })
      const metrics = await fetch(`${server.adminUrl}/metrics/prometheus`)
      spy.told.push({ where: 'metrics', text: await metrics.text() })
      assert.ok(
        spy.secrets.size > 40 && server.logs().length > 100_000,
        `the way was too short: ${spy.secrets.size} secrets, ${server.logs().length} characters`,
      )
      assert.deepEqual([...new Set(spy.found())].slice(0, 10), [])
      if (backend !== adopted) assert.deepEqual(await inTables(server, spy), [])
    })
  })
}

/** Secrets in the database as they are. Anti-CSRF tokens stand in forms, and are good for nothing without the cookie. */
async function inTables({ db }: TestServer, spy: Spy): Promise<string[]> {
  const names = await db.query<{ name: string }>({
    name: '',
    text: `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'lethe')`,
  })
  const guarded = [...spy.secrets].filter(([, what]) => !/CSRF|cookie|hash|secret/.test(what))
  const found: string[] = []
  for (const { name } of names) {
    const [row] = await db.query<{ text: string | null }>({
      name: '',
      text: `select json_agg(t)::text as text from ${name} t`,
    })
    for (const [value, what] of guarded) if (row?.text?.includes(value)) found.push(`${what} ${value} in table ${name}`)
  }
  return found
}
