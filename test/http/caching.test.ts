import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client, createPerson, type Reply, signIn } from '../helpers/client.ts'
import { csrfPair } from '../helpers/credentials.ts'
import { closingScope, postgres } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

/**
 * No cache, neither of the browser nor on the way, may keep what is about a person, also not a redirect or an error:
 * another person, or the same one after signing out, would be shown it.
 */

/** Streams, and what is about no person. */
const OPEN = /\/(events|events\/stream|revocations|alive|ready|version|openapi\.json|prometheus|config)$/
const ID = '11111111-2222-4333-8444-555555555555'

describe('answers about a person are kept by no cache', () => {
  const scope = closingScope()
  let server: TestServer
  let cookie: string
  let routes: { port: 'public' | 'admin'; method: string; path: string }[]

  before(async () => {
    server = await testServer(scope, { backend: postgres, config: { lethe: { ui: { enabled: true } } } })
    const client = new Client(server)
    await signIn(client, await createPerson(server))
    cookie = `ory_kratos_session=${client.jar.get('ory_kratos_session')}; ${csrfPair(server).cookie}`
    const { paths } = (await client.get('/openapi.json')).body
    routes = Object.entries(paths as Record<string, object>).flatMap(([template, methods]) =>
      Object.keys(methods).map((method) => ({
        port: template.startsWith('/admin') ? ('admin' as const) : ('public' as const),
        method: method.toUpperCase(),
        path: template.replace(/\{\w+\}/g, ID),
      })),
    )
    for (const path of [
      '/ui/welcome',
      '/ui/login',
      '/ui/registration',
      '/ui/settings',
      '/ui/error',
      '/ui/signed-out',
      '/logout',
      '/nowhere',
    ])
      routes.push({ port: 'public', method: 'GET', path })
  })
  after(() => scope.close())

  function holds(reply: Reply, where: string, isPublic: boolean) {
    const cacheControl = reply.headers.get('cache-control') ?? ''
    assert.match(cacheControl, /\bno-store\b/, `${where}: ${reply.status}`)
    assert.doesNotMatch(cacheControl, /\bpublic\b|max-age=[1-9]/, where)
    if (isPublic) assert.match(reply.headers.get('vary') ?? '', /\bCookie\b/i, `${where}: ${reply.status}`)
    if (reply.headers.get('content-type')?.startsWith('text/html')) {
      assert.match(reply.headers.get('referrer-policy') ?? '', /no-referrer|same-origin|strict-origin|origin/, where)
      assert.equal(reply.headers.get('x-content-type-options'), 'nosniff', where)
    }
  }

  test('each operation, with and without a session, for scripts and browsers', async () => {
    assert.ok(routes.length > 40, `only ${routes.length} routes are known`)
    for (const { port, method, path } of routes) {
      if (OPEN.test(path) && method === 'GET') continue
      if (path === '/sessions/whoami' && method !== 'GET') continue
      for (const accept of ['application/json', 'text/html']) {
        for (const headers of [{ accept }, { accept, cookie }] as Record<string, string>[]) {
          const url = (port === 'admin' ? server.adminUrl : server.publicUrl) + path
          const client = new Client(server)
          const reply = await client.send(method, url, method === 'GET' ? { headers } : { headers, json: {} })
          holds(reply, `${method} ${path} ${JSON.stringify(Object.keys(headers))}`, port === 'public')
        }
      }
    }
  })

  test('a sign-in and a sign-out that succeed', async () => {
    const client = new Client(server)
    const person = await createPerson(server)
    const flow = (await client.get('/self-service/login/api')).body
    const json = { method: 'password', identifier: person.email, password: person.password }
    holds(await client.send('POST', flow.ui.action, { json }), 'native login', true)
    await signIn(client, person)
    const { body } = await client.get('/self-service/logout/browser')
    holds(await client.get(body.logout_url, { accept: 'text/html' }), 'logout', true)
  })

  test('what is public may be kept', async () => {
    const { headers, status } = await new Client(server).get('/ui/style.css')
    assert.equal(status, 200)
    assert.doesNotMatch(headers.get('cache-control') ?? '', /no-store/)
  })
})
