import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client, createPerson, freshCsrfToken, isSignedIn, signIn, signInNative } from '../helpers/client.ts'
import { backends, type Scope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

for (const backend of backends()) {
  describe(`logout where Kratos errs, on ${backend.name}`, () => {
    let server: TestServer
    const endings: (() => Promise<void>)[] = []
    const scope: Scope = { after: (work) => void endings.push(work) }
    before(async () => {
      server = await testServer(scope, { backend })
    })
    after(async () => {
      for (const work of endings.reverse()) await work()
    })

    async function signedIn() {
      const client = new Client(server)
      const person = await createPerson(server)
      const { sessionId } = await signIn(client, person)
      const { logout_token: token, logout_url: url } = (await client.get('/self-service/logout/browser')).body
      return { client, person, sessionId, token, url }
    }

    for (const accept of ['application/json', 'text/html']) {
      test(`rule 2, refuse before acting: a return_to that is not allowed ends nothing (${accept})`, async () => {
        const { client, url } = await signedIn()
        const reply = await client.get(`${url}&return_to=https%3A%2F%2Fevil.test%2F`, { accept })
        assert.equal(reply.status, accept === 'text/html' ? 303 : 400)
        assert.deepEqual(reply.setCookie, [])
        assert.equal(await isSignedIn(client), true)
      })
    }

    test('HEAD never signs out', async () => {
      const { client, url } = await signedIn()
      const reply = await client.send('HEAD', url)
      assert.equal(reply.status, 405)
      assert.deepEqual(reply.setCookie, [])
      assert.equal(await isSignedIn(client), true)
    })

    for (const header of [
      { 'sec-purpose': 'prefetch' },
      { 'sec-purpose': 'prefetch;prerender' },
      { purpose: 'prefetch' },
    ]) {
      test(`a link fetched ahead never signs out: ${JSON.stringify(header)}`, async () => {
        const { client, url } = await signedIn()
        const reply = await client.get(url, { ...header, accept: 'text/html' } as Record<string, string>)
        assert.equal(reply.status, 403)
        assert.equal(await isSignedIn(client), true)
      })
    }

    test('rule 3, one resolver: X-Session-Token is what authenticates and what ends', async () => {
      const { client } = await signedIn()
      const other = await signInNative(server, await createPerson(server))
      const app = new Client(server)
      const headers = { 'x-session-token': other.token }
      const { body } = await app.get('/self-service/logout/browser', headers)
      const reply = await client.get(`/self-service/logout?token=${body.logout_token}`, headers)
      assert.equal(reply.status, 204)
      assert.equal(
        reply.setCookie.some((line) => line.startsWith('ory_kratos_session=')),
        false,
        'the cookie is of another session',
      )
      assert.equal(await isSignedIn(app, headers), false)
      assert.equal(await isSignedIn(client), true)
    })

    test('rule 3: with a cookie and a Bearer token of another session, the session of the cookie ends', async () => {
      const { client, url } = await signedIn()
      const other = await signInNative(server, await createPerson(server))
      const reply = await client.get(url, { authorization: `Bearer ${other.token}` })
      assert.equal(reply.status, 204)
      assert.equal(await isSignedIn(client), false)
      assert.equal(await isSignedIn(new Client(server), { 'x-session-token': other.token }), true)
    })

    test('rule 3: a stray Bearer token does not keep a cookie from signing out', async () => {
      const { client, url } = await signedIn()
      const reply = await client.get(url, { authorization: 'Bearer some-other-api-token' })
      assert.equal(reply.status, 204)
      assert.equal(await isSignedIn(client), false)
    })

    test('a cookie that cannot be read does no harm beside a good token', async () => {
      const { token } = await signInNative(server, await createPerson(server))
      const headers = { cookie: 'ory_kratos_session=garbage', authorization: `Bearer ${token}` }
      assert.equal(await isSignedIn(new Client(server), headers), true)
      assert.equal(
        await isSignedIn(new Client(server), { cookie: 'ory_kratos_session=garbage', 'x-session-token': token }),
        true,
      )
    })

    test('rule 5: every end is one event, also when it is asked for twice', async () => {
      const person = await createPerson(server)
      const { token, sessionId } = await signInNative(server, person)
      const app = new Client(server)
      for (const _ of [1, 2]) {
        const reply = await app.send('DELETE', '/self-service/logout/api', { json: { session_token: token } })
        assert.equal(reply.status, 204)
      }
      const text = `select type, cause from lethe.events where session_id = '${sessionId}' order by seq`
      const events = await server.db.query({ name: '', text })
      assert.deepEqual(events, [
        { type: 'session.created', cause: null },
        { type: 'session.ended', cause: 'logout' },
      ])
    })

    test('the native answer has the headers of the document', async () => {
      const { token } = await signInNative(server, await createPerson(server))
      const reply = await new Client(server).send('DELETE', '/self-service/logout/api', {
        json: { session_token: token },
      })
      assert.equal(reply.status, 204)
      assert.equal(reply.headers.get('cache-control'), 'private, no-cache, no-store, must-revalidate')
      assert.match(reply.headers.get('vary') ?? '', /Cookie/)
    })

    describe('POST /self-service/logout', () => {
      test('ends the current session, names it and leaves no cookie', async () => {
        const { client, sessionId } = await signedIn()
        const reply = await client.send('POST', '/self-service/logout', {
          json: { csrf_token: await freshCsrfToken(client) },
        })
        assert.deepEqual([reply.status, reply.body], [200, { revoked: [sessionId] }])
        assert.equal(client.jar.get('ory_kratos_session'), undefined)
        assert.equal(await isSignedIn(client), false)
      })

      test('again: a session that is gone is success', async () => {
        const { client } = await signedIn()
        const cookie = `ory_kratos_session=${client.jar.get('ory_kratos_session')}`
        await client.send('POST', '/self-service/logout', { json: { csrf_token: await freshCsrfToken(client) } })
        const reply = await new Client(server).send('POST', '/self-service/logout', { json: {}, headers: { cookie } })
        assert.deepEqual([reply.status, reply.body], [200, { revoked: [] }])
        assert.ok(reply.setCookie.some((line) => /^ory_kratos_session=;.*Max-Age=0/.test(line)))
      })

      test('without the anti-CSRF token a cookie ends nothing', async () => {
        const { client } = await signedIn()
        for (const options of [{ json: {} }, { form: { scope: 'all' } }, {}]) {
          const reply = await client.send('POST', '/self-service/logout', options)
          assert.equal(reply.status, 403)
        }
        assert.equal(await isSignedIn(client), true)
      })

      test('scope others and all, with a session token', async () => {
        const person = await createPerson(server)
        const tokens = [
          await signInNative(server, person),
          await signInNative(server, person),
          await signInNative(server, person),
        ]
        const app = new Client(server)
        const headers = { 'x-session-token': tokens[0]!.token }
        const others = await app.send('POST', '/self-service/logout', { headers, json: { scope: 'others' } })
        assert.deepEqual(others.body.revoked.sort(), [tokens[1]!.sessionId, tokens[2]!.sessionId].sort())
        assert.equal(await isSignedIn(app, headers), true)
        const all = await app.send('POST', '/self-service/logout', { headers, json: { scope: 'all' } })
        assert.deepEqual(all.body, { revoked: [tokens[0]!.sessionId] })
        assert.equal(await isSignedIn(app, headers), false)
      })

      test('session_ids end only sessions of the same identity', async () => {
        const [person, stranger] = [await createPerson(server), await createPerson(server)]
        const [mine, second, foreign] = [
          await signInNative(server, person),
          await signInNative(server, person),
          await signInNative(server, stranger),
        ]
        const headers = { 'x-session-token': mine.token }
        const json = { session_ids: [second.sessionId, foreign.sessionId] }
        const reply = await new Client(server).send('POST', '/self-service/logout', { headers, json })
        assert.deepEqual(reply.body, { revoked: [second.sessionId] })
        assert.equal(await isSignedIn(new Client(server), { 'x-session-token': foreign.token }), true)
      })

      test('a form is answered by a redirect to an allowed return_to, and refused before acting otherwise', async () => {
        const { client } = await signedIn()
        const headers = { accept: 'text/html' }
        const csrf_token = await freshCsrfToken(client)
        const bad = await client.send('POST', '/self-service/logout', {
          headers,
          form: { csrf_token, return_to: 'https://evil.test/' },
        })
        assert.match(bad.headers.get('location') ?? '', /\/error\?id=/)
        assert.equal(await isSignedIn(client), true)
        const good = await client.send('POST', '/self-service/logout', {
          headers,
          form: { csrf_token, return_to: 'http://127.0.0.1:4455/bye' },
        })
        assert.deepEqual([good.status, good.headers.get('location')], [303, 'http://127.0.0.1:4455/bye'])
        assert.equal(await isSignedIn(client), false)
      })

      test('a form with an odd member is shown as an error, also where its name is cut within a character', async () => {
        for (const start of ['', 'x']) {
          const form = { [`${start}${'😀'.repeat(400)}`]: '1' }
          const headers = { accept: 'text/html' }
          const reply = await new Client(server).send('POST', '/self-service/logout', { form, headers })
          assert.equal(reply.status, 303)
        }
      })

      for (const json of [
        { scope: 'everything' },
        { session_ids: 'x' },
        { session_ids: ['x'] },
        { session_ids: [] },
        [],
        'x',
        { scope: 1 },
      ]) {
        test(`bad input is a 400: ${JSON.stringify(json)}`, async () => {
          const { token } = await signInNative(server, await createPerson(server))
          const reply = await new Client(server).send('POST', '/self-service/logout', {
            headers: { 'x-session-token': token },
            json,
          })
          assert.equal(reply.status, 400)
          assert.equal(await isSignedIn(new Client(server), { 'x-session-token': token }), true)
        })
      }
    })

    test('dead_session: succeed sends a browser on with its cookies cleared, and tells apps 204', async () => {
      const { client, url } = await signedIn()
      const cookie = `ory_kratos_session=${client.jar.get('ory_kratos_session')}`
      await client.get(url)
      await server.reconfigure({
        lethe: {
          logout: { dead_session: 'succeed', clear_site_data: ['cache', 'storage'] },
          cookies: { previous: [{ name: 'old_session', domain: 'example.com', path: '/app' }] },
        },
      })
      const browser = await new Client(server).get(url, { accept: 'text/html', cookie })
      assert.deepEqual([browser.status, browser.headers.get('location')], [303, 'http://127.0.0.1:4455/login'])
      assert.ok(browser.setCookie.some((line) => /^ory_kratos_session=;/.test(line)))
      assert.ok(
        browser.setCookie.some((line) => /^old_session=;.*Max-Age=0.*Domain=example.com.*Path=\/app/.test(line)),
      )
      const app = await new Client(server).get(url, { cookie })
      assert.equal(app.status, 204)
      await server.reconfigure({ lethe: { logout: { dead_session: 'error', clear_site_data: [] } } })
    })
  })
}
