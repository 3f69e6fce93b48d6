import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, signInNative } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

describe('paths and methods', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await testServer(scope)
  })
  after(() => scope.close())

  const ORIGIN = 'http://127.0.0.1:4455'
  const preflight = (path: string, method: string, headers?: string) =>
    new Client(server).send('OPTIONS', path, {
      headers: {
        origin: ORIGIN,
        'access-control-request-method': method,
        ...(headers === undefined ? {} : { 'access-control-request-headers': headers }),
      },
    })

  test('a preflight is answered for every path, whatever is routed there', async () => {
    const paths = [
      '/',
      '/nowhere',
      '/sessions',
      '/sessions/',
      '/sessions/whoami',
      '/self-service/login',
      '/health/ready',
    ]
    for (const path of [
      ...paths,
      '/self-service/logout/api',
      '/admin/identities',
      '/schemas/x',
      '/a//b',
      '/openapi.json',
    ]) {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const reply = await preflight(path, method, 'content-type')
        assert.equal(reply.status, 204)
        assert.equal(reply.headers.get('access-control-allow-methods'), method, `${method} ${path}`)
        assert.equal(reply.headers.get('access-control-allow-headers'), 'content-type')
        assert.deepEqual(reply.setCookie, [])
      }
      for (const method of ['HEAD', 'TRACE', 'CONNECT', 'get', 'FOO']) {
        const reply = await preflight(path, method)
        assert.deepEqual([reply.status, reply.headers.get('access-control-allow-origin')], [204, null])
      }
    }
  })

  test('header names may have a blank around and empty elements between, as proxies leave them', async () => {
    for (const asked of [
      'authorization,content-type',
      'authorization, content-type',
      'authorization ,\tcontent-type',
      ',,content-type,',
    ]) {
      assert.equal(
        (await preflight('/sessions', 'GET', asked)).headers.get('access-control-allow-origin'),
        ORIGIN,
        asked,
      )
    }
    for (const asked of [
      'content-type,authorization',
      'Content-Type',
      'content-type,content-type',
      'content-type;x',
      ','.repeat(20),
      'x  y',
    ]) {
      assert.equal((await preflight('/sessions', 'GET', asked)).headers.get('access-control-allow-origin'), null, asked)
    }
  })

  test('a trailing slash behind a list names nothing: 404 in plain text', async () => {
    const admin = server.adminUrl
    const places = [
      ...['/sessions/', '/schemas/'],
      ...[`${admin}/sessions/`, `${admin}/admin/sessions/`, `${admin}/admin/identities/`, `${admin}/identities/`],
      `${admin}/admin/identities/by/external/`,
    ]
    for (const path of places) {
      for (const method of ['GET', 'DELETE']) {
        const reply = await new Client(server).send(method, path)
        assert.deepEqual([reply.status, reply.text], [404, '404 page not found\n'], `${method} ${path}`)
        assert.equal(reply.headers.get('content-type'), 'text/plain; charset=utf-8')
      }
    }
  })

  test('following `next` from any first page shows every session once', async () => {
    const person = await createPerson(server)
    const { token } = await signInNative(server, person)
    const others = new Set<string>()
    for (let i = 0; i < 10; i++) others.add((await signInNative(server, person)).sessionId)
    const admin = `${server.adminUrl}/admin/identities/${person.identityId}/sessions`
    for (const start of ['page=1&per_page=4', 'page=0&per_page=4', 'per_page=3', 'page_size=4', 'page=1&per_page=7']) {
      for (const [list, expected, headers] of [
        [admin, 11, {}],
        ['/sessions', 10, { 'x-session-token': token }],
      ] as const) {
        const seen: string[] = []
        let next: string | undefined = `${list}?${start}`
        while (next !== undefined && seen.length < 50) {
          const reply = await new Client(server).get(next, headers)
          seen.push(...reply.body.map(({ id }: { id: string }) => id))
          const link = /<([^>]*)>; rel="next"/.exec(reply.headers.get('link') ?? '')?.[1]
          next = link && (list === admin ? `${server.adminUrl}${link}` : link)
        }
        assert.equal(seen.length, expected, `${list} from ${start}`)
        assert.equal(new Set(seen).size, expected)
      }
    }
  })
})

describe('rows in which a Go program wrote null for what is empty', () => {
  test('every answer is given, and one such row breaks no list', async (t) => {
    const server = await testServer(t)
    const person = await createPerson(server)
    const { token, sessionId } = await signInNative(server, person)
    const change = (table: string, set: string, column: string, id: string) =>
      server.db.query(sql(`test.null_${table}`, `update ${table} set ${set} where ${column} = $1`), [id])
    await change('sessions', `authentication_methods = 'null'`, 'id', sessionId)
    const traits = `traits = 'null', metadata_public = 'null', metadata_admin = 'null'`
    await change('identities', traits, 'id', person.identityId)
    await change('identity_credentials', `config = 'null'`, 'identity_id', person.identityId)
    await change('session_devices', 'ip_address = null, user_agent = null, location = null', 'session_id', sessionId)
    const mine = { 'x-session-token': token }
    const admin = `${server.adminUrl}/admin`
    const reads: [string, Record<string, string>][] = [
      ['/sessions/whoami', mine],
      ['/sessions', mine],
      [`${admin}/sessions`, {}],
      [`${admin}/sessions?expand=identity&expand=devices`, {}],
      [`${admin}/sessions/${sessionId}?expand=identity&expand=devices`, {}],
      [`${admin}/identities`, {}],
      [`${admin}/identities?credentials_identifier=${person.email}&include_credential=password`, {}],
      [`${admin}/identities/${person.identityId}?include_credential=password`, {}],
      [`${admin}/identities/${person.identityId}/sessions`, {}],
      ['/self-service/settings/api', mine],
    ]
    for (const [path, headers] of reads) {
      const reply = await new Client(server).get(path, headers)
      assert.equal(reply.status, 200, `${path}: ${reply.text}`)
    }
    assert.deepEqual((await new Client(server).get('/sessions/whoami', mine)).body.authentication_methods, [])
    const flow = (await new Client(server).get('/self-service/login/api')).body
    const action = new URL(flow.ui.action)
    const json = { method: 'password', identifier: person.email, password: person.password }
    assert.equal((await new Client(server).send('POST', action.pathname + action.search, { json })).status, 400)
    for (const op of [{ op: 'replace', path: '/state', value: 'inactive' }]) {
      const reply = await new Client(server).send('PATCH', `${admin}/identities/${person.identityId}`, { json: [op] })
      assert.ok(reply.status < 500, reply.text)
    }
  })
})
