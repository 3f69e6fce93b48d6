import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { apiDocument } from '../../src/api.ts'
import { closingScope, postgres } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** As a browser or a program sends it, with whatever `Host`; only the head of what never ends. */
function send(server: TestServer, method: string, path: string, headers: Record<string, string>): Promise<Answer> {
  const { hostname, port } = new URL(server.adminUrl)
  return new Promise((resolve, reject) => {
    const req = request({ hostname, port, method, path, headers }, (res) => {
      const answer = { status: res.statusCode!, headers: res.headers, text: '' }
      if (res.headers['content-type']?.startsWith('text/event-stream')) {
        req.destroy()
        return resolve(answer)
      }
      res.on('data', (part) => {
        answer.text += part
      })
      res.on('end', () => resolve(answer))
    })
    req.on('error', reject)
    req.end()
  })
}

const ID = '6f1e1ab6-9a3c-4d5c-8f3e-000000000000'
/** Every operation there is, and what is on the admin port without being one. */
const OPERATIONS: [string, string][] = [
  ...Object.entries(apiDocument('test').paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method): [string, string] => [method.toUpperCase(), path.replace(/\{\w+\}/g, ID)]),
  ),
  ['GET', '/admin/events/page'],
  ['GET', '/admin/events/page.js'],
  ['GET', '/admin/metrics/prometheus'],
  ['OPTIONS', '/admin/identities'],
  ['GET', '/no/such/page'],
]

async function answers(server: TestServer, headers: Record<string, string>, but: string[] = []): Promise<string[]> {
  const open = OPERATIONS.filter(([, path]) => !but.includes(path))
  const found = await Promise.all(open.map(([method, path]) => send(server, method, path, headers)))
  return [...new Set(found.map(({ status, text }) => `${status === 403 ? /lethe\.admin\.\w+/.exec(text) : 'open'}`))]
}

const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36' }
const PROBES = ['/health/alive', '/health/ready']

for (const host of ['127.0.0.1', '0.0.0.0']) {
  describe(`the admin port on ${host} and web pages`, () => {
    const scope = closingScope()
    let server: TestServer
    let own: string
    before(async () => {
      const config = { serve: { admin: { host, base_url: 'https://lethe.corp.example/' } } }
      server = await testServer(scope, { backend: postgres, config })
      own = new URL(server.adminUrl).host
    })
    after(() => scope.close())

    for (const [what, headers] of [
      ['another site', { 'sec-fetch-site': 'cross-site' }],
      ['a sibling domain or another port', { 'sec-fetch-site': 'same-site' }],
      ['a header in two', { 'sec-fetch-site': 'same-origin, cross-site' }],
      ['an origin', { origin: 'https://evil.example' }],
      ['an origin on another port', { origin: 'http://localhost:3000' }],
      ['no origin to speak of', { origin: 'null' }],
      ['an origin that is none', { origin: '127.0.0.1' }],
      ['a page of another name of the port', { origin: 'https://lethe.corp.example.evil.example' }],
    ] as const) {
      test(`pages of ${what} are refused on every route`, async () => {
        assert.deepEqual(await answers(server, { host: own, ...headers }), ['lethe.admin.allowed_origins'])
      })
    }

    test('a name that leads here from a page of its own site is refused on every route but those of probes', async () => {
      for (const headers of [
        { host: 'evil.example' },
        { host: `evil.example:${own.split(':')[1]}`, 'sec-fetch-site': 'same-origin' },
        { host: 'evil.example', origin: 'http://evil.example' },
        { host: 'EVIL.example.', referer: 'http://evil.example/' },
        { host: `${'a'.repeat(300)}.example` },
        { host: '127.0.0.1.evil.example' },
      ])
        assert.deepEqual(await answers(server, { ...BROWSER, ...headers }, PROBES), ['lethe.admin.allowed_hosts'])
      for (const path of PROBES) assert.equal((await send(server, 'GET', path, { host: 'lb.example' })).status, 200)
    })

    test('programs, the port’s own pages and probes go on', async () => {
      for (const headers of [
        { host: own },
        { host: own, 'sec-fetch-mode': 'cors', 'accept-language': '*' },
        { host: own, 'sec-fetch-site': 'none', ...BROWSER },
        { host: own, 'sec-fetch-site': 'same-origin', origin: `http://${own}`, ...BROWSER },
        { host: 'localhost:4434', origin: 'http://localhost:4434' },
        { host: '[::1]:4434', ...BROWSER },
        { host: '10.1.2.3' },
        { host: 'LETHE.corp.example', origin: 'https://lethe.corp.example', ...BROWSER },
      ])
        assert.deepEqual(await answers(server, headers), ['open'], JSON.stringify(headers))
    })

    test('a page that the configuration names is answered as by Kratos, but changes nothing', async () => {
      const page = { host: own, origin: new URL('http://127.0.0.1:4455').origin }
      const statuses = (headers: Record<string, string>) =>
        Promise.all(
          ['GET', 'POST'].map(async (method) => (await send(server, method, '/admin/identities', headers)).status),
        )
      assert.deepEqual(await statuses(page), [200, 403])
      assert.deepEqual(await statuses({ ...page, 'sec-fetch-site': 'cross-site' }), [403, 403])
    })

    test('a preflight is told nothing', async () => {
      const ask = { 'access-control-request-method': 'PUT', origin: `http://${own}` }
      for (const headers of [ask, { ...ask, origin: 'https://evil.example' }]) {
        const reply = await send(server, 'OPTIONS', '/admin/identities', { host: own, ...headers })
        assert.deepEqual(
          Object.keys(reply.headers).filter((name) => name.startsWith('access-control-')),
          [],
        )
      }
    })

    test('what is listed is let in', async () => {
      const admin = { allowed_origins: ['https://tools.example'], allowed_hosts: ['lethe.example', '*.svc.example'] }
      await server.reconfigure({ lethe: { admin } })
      const page = { origin: 'https://tools.example', 'sec-fetch-site': 'cross-site' }
      for (const name of ['lethe.example', 'a.svc.example:4434', own])
        assert.deepEqual(await answers(server, { host: name, ...page, ...BROWSER }), ['open'])
      for (const name of ['svc.example', 'a.lethe.example', 'kratos'])
        assert.deepEqual(await answers(server, { host: name }, PROBES), ['lethe.admin.allowed_hosts'])
      await server.reconfigure({ lethe: { admin: null } })
    })
  })
}

test('names that programs use in a cluster or behind a proxy are open where the port is not on a loopback', async (t) => {
  const server = await testServer(t, { backend: postgres })
  for (const host of ['kratos', 'kratos-admin.auth.svc.cluster.local:4434', 'admin.example.com'])
    assert.deepEqual(await answers(server, { host }), ['open'])
  for (const host of ['kratos', 'kratos-admin.auth.svc', 'host.docker.internal'])
    assert.deepEqual(await answers(server, { host, ...BROWSER }), ['open'])
})
