import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { newCsrfSecret } from '../../src/kernel/crypto/csrf.ts'
import { BrowserJar } from '../helpers/browser-jar.ts'
import { createPerson, type Person } from '../helpers/client.ts'
import { csrfPair, sessionCookie } from '../helpers/credentials.ts'
import { postgres, type Scope } from '../helpers/db.ts'
import { testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

const HOST = 'http://id.example.test'
type Config = Record<string, unknown>

async function world(t: Scope, config: Config = {}) {
  const serve = { public: { base_url: `${HOST}/` } }
  const server = await testServer(t, { backend: postgres, dev: true, config: { serve, ...config } })
  return { server, jar: new BrowserJar(server.publicUrl), person: await createPerson(server) }
}

/** One try of a person at a form that was just opened. */
async function trySignIn(jar: BrowserJar, person: Person): Promise<number> {
  const flow = await jar.send('GET', `${HOST}/self-service/login/browser`)
  if (flow.status !== 200) return flow.status
  const field = flow.body.ui.nodes.find((node: any) => node.attributes.name === 'csrf_token')
  const csrf_token = field.attributes.value
  const form = { method: 'password', identifier: person.email, password: person.password, csrf_token }
  return (await jar.send('POST', flow.body.ui.action, form)).status
}

async function signOut(jar: BrowserJar): Promise<void> {
  const { body } = await jar.send('GET', `${HOST}/self-service/logout/browser`)
  const { status } = await jar.send('GET', `${HOST}/self-service/logout?token=${body.logout_token}`)
  assert.equal(status, 204)
}

const whoami = async (jar: BrowserJar) => (await jar.send('GET', `${HOST}/sessions/whoami`)).status

describe('cookies left behind where domain or path changed', () => {
  for (const [what, before, after] of [
    ['a domain that was not set', {}, { domain: 'example.test' }],
    ['a domain that is set no more', { domain: 'example.test' }, { domain: null }],
    ['another domain', { domain: 'id.example.test' }, { domain: 'example.test' }],
    ['a narrower path', {}, { path: '/self-service' }],
    ['a wider path', { path: '/self-service' }, { path: '/' }],
  ] as const) {
    test(`${what}: a browser with it signs out and in again as before`, async (t) => {
      const { server, jar, person } = await world(t, { cookies: before })
      assert.equal(await trySignIn(jar, person), 200)
      await server.reconfigure({ cookies: after })
      await signOut(jar)
      assert.equal(await trySignIn(jar, person), 200)
      const paths = [after, before].map((cookies) => ('path' in cookies ? cookies.path : '/'))
      if (paths.includes('/') && !('path' in after && after.path !== '/')) assert.equal(await whoami(jar), 200)
      await signOut(jar)
      assert.equal(await trySignIn(jar, person), 200)
      for (const name of ['csrf_token_', 'ory_kratos_session'])
        assert.equal(jar.named(name).length, 1, JSON.stringify(jar.named(name)))
    })
  }
})

describe('cookies that a page of a sibling domain has planted', () => {
  for (const path of ['/', '/self-service', '/self-service/', '/self-service/login', '/self-service/login/'])
    test(`an anti-CSRF cookie at ${path} prevents no sign-in`, async (t) => {
      const { jar, person } = await world(t)
      await jar.send('GET', `${HOST}/self-service/login/browser`)
      const name = jar.named('csrf_token_')[0]!.name
      const value = newCsrfSecret((n) => Buffer.alloc(n, 7))
      jar.take('evil.example.test', [`${name}=${value}; Domain=example.test; Path=${path}`])
      assert.equal(await trySignIn(jar, person), 200)
      assert.equal(jar.named(name).length, 1)
    })

  test('two of them in one submit are refused, in either order and also when they are the same', async (t) => {
    const { jar, person, server } = await world(t)
    const flow = await jar.send('GET', `${HOST}/self-service/login/browser`)
    const [own] = jar.named('csrf_token_')
    const other = newCsrfSecret((n) => Buffer.alloc(n, 7))
    const csrf_token = flow.body.ui.nodes.find((node: any) => node.attributes.name === 'csrf_token').attributes.value
    for (const values of [
      [own!.value, other],
      [other, own!.value],
      [own!.value, own!.value],
    ]) {
      const headers = {
        cookie: values.map((value) => `${own!.name}=${value}`).join('; '),
        accept: 'application/json',
        'content-type': 'application/json',
      }
      const form = { method: 'password', identifier: person.email, password: person.password, csrf_token }
      const { pathname, search } = new URL(flow.body.ui.action)
      const reply = await fetch(server.publicUrl + pathname + search, {
        ...{ method: 'POST', headers, body: JSON.stringify(form) },
      })
      assert.equal(reply.status, 403)
    }
  })

  for (const path of ['/', '/self-service', '/self-service/logout'])
    test(`a session at ${path} shields no other session: a logout ends both, with one event each, and leaves no cookie`, async (t) => {
      const { server, jar, person } = await world(t)
      assert.equal(await trySignIn(jar, person), 200)
      const { body } = await jar.send('GET', `${HOST}/sessions/whoami`)
      const planted = await signedIn(server)
      jar.take('evil.example.test', [`${sessionCookie(server, planted.token)}; Domain=example.test; Path=${path}`])
      jar.cookies.reverse()
      await signOut(jar)
      assert.equal(await planted.whoami(), 401)
      assert.equal((await planted.ends()).length, 1)
      const reply = await fetch(`${server.adminUrl}/admin/sessions/${body.id}`)
      assert.equal(((await reply.json()) as any).active, false)
      assert.deepEqual(jar.named('ory_kratos_session'), [])
      assert.equal(await trySignIn(jar, person), 200)
      assert.equal(await whoami(jar), 200)
    })
})

for (const method of ['GET', 'POST'])
  test(`${method}: however many are sent, none is overlooked, and those of the same identity end too`, async (t) => {
    const { server } = await world(t)
    const own = await signedIn(server)
    const planted = await Promise.all(Array.from({ length: 70 }, () => signedIn(server)))
    const twin = await signedIn(server, own.session.identity)
    const bystander = await signedIn(server, own.session.identity)
    const all = [...planted, twin, own]
    const csrf = csrfPair(server)
    const cookie = [csrf.cookie, ...all.map(({ token }) => sessionCookie(server, token))].join('; ')
    const headers = { cookie, accept: 'application/json', 'content-type': 'application/json' }
    const token = server.deps.sessions.logoutToken(own.session)
    const body = JSON.stringify({ csrf_token: csrf.token() })
    const reply =
      method === 'GET'
        ? await fetch(`${server.publicUrl}/self-service/logout?token=${token}`, { headers })
        : await fetch(`${server.publicUrl}/self-service/logout`, { method, headers, body })
    assert.equal(reply.status, method === 'GET' ? 204 : 200)
    for (const one of all) {
      assert.equal(await one.whoami(), 401)
      assert.equal((await one.ends()).length, 1)
    }
    assert.equal(await bystander.whoami(), 200)
    if (method === 'POST')
      assert.deepEqual(
        ((await reply.json()) as { revoked: string[] }).revoked.sort(),
        all.map(({ session }) => session.id).sort(),
      )
  })

test('an answer of the worst case stays below what proxies take', async (t) => {
  const config = {
    cookies: { domain: 'corp.example.test' },
    serve: { public: { base_url: 'http://a.b.c.d.corp.example.test/x/y/' } },
  }
  const { server } = await world(t, config)
  const name = server.deps.baseUrls.public()
  assert.match(name, /a\.b/)
  const first = await fetch(`${server.publicUrl}/self-service/login/browser`, {
    headers: { accept: 'application/json' },
  })
  const cookie = /^(csrf_token_\w+)=/.exec(first.headers.getSetCookie()[0]!)![1]
  const headers = { accept: 'application/json', cookie: `${cookie}=a; ${cookie}=b` }
  const reply = await fetch(`${server.publicUrl}/self-service/login/browser`, { headers })
  const bytes = reply.headers.getSetCookie().join('set-cookie: \r\n').length
  assert.ok(reply.headers.getSetCookie().length > 5 && bytes < 4000, `${bytes}`)
})
