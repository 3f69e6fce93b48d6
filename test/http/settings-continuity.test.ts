import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, PASSWORD, signIn } from '../helpers/client.ts'
import { adopted, backends, closingScope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const NEW_PASSWORD = 'another-quiet-Harbour-93'
const PAGE = { accept: 'text/html' }

for (const backend of backends()) {
  describe(`a change that needs the password again, on ${backend.name}`, () => {
    const scope = closingScope()
    let server: TestServer
    before(async () => {
      server = await testServer(scope, { backend })
    })
    after(() => scope.close())

    /** A browser with a session of an hour ago and a settings form before it. */
    async function oldSession() {
      const browser = new Client(server)
      const person = await createPerson(server)
      const { sessionId } = await signIn(browser, person)
      await age(sessionId)
      const flow = (await browser.get('/self-service/settings/browser')).body
      const csrf_token: string = flow.ui.nodes[0].attributes.value
      const path = `/self-service/settings?flow=${flow.id}`
      return {
        browser,
        person,
        sessionId,
        flow,
        path,
        form: { method: 'password', password: NEW_PASSWORD, csrf_token },
      }
    }

    async function age(sessionId: string) {
      const text = `update sessions set authenticated_at = authenticated_at - interval '2 hours' where id = $1`
      await server.db.query(sql('test.age_sign_in', text), [sessionId])
    }

    async function signInAgain(browser: Client, at: string, identifier: string) {
      const begun = await browser.get(at, PAGE)
      const id = new URL(begun.headers.get('location')!).searchParams.get('flow')
      const flow = (await browser.get(`/self-service/login/flows?id=${id}`)).body
      const csrf_token = flow.ui.nodes[0].attributes.value
      const form = { method: 'password', identifier, password: PASSWORD, csrf_token }
      return browser.send('POST', `/self-service/login?flow=${id}`, { form, headers: PAGE })
    }

    async function accepts(email: string, password: string): Promise<boolean> {
      const client = new Client(server)
      const { pathname, search } = new URL((await client.get('/self-service/login/api')).body.ui.action)
      const json = { method: 'password', identifier: email, password }
      return (await client.send('POST', pathname + search, { json })).status === 200
    }

    const containers = async () =>
      server.db.query<{ name: string; payload: any; left: number }>(
        sql(
          'test.containers',
          `select name, payload, extract(epoch from expires_at - created_at)::int as left from continuity_containers`,
        ),
      )

    test('a page: sent to sign in, and the form is finished when it comes back, once', async () => {
      const { browser, person, flow, path, form } = await oldSession()
      const sent = await browser.send('POST', path, { form, headers: PAGE })
      assert.equal(sent.status, 303)
      assert.match(
        sent.setCookie.find((cookie) => cookie.startsWith('ory_kratos_continuity='))!,
        /; Max-Age=2592000; Path=\/; Expires=.*; HttpOnly; Secure; SameSite=Lax/,
      )
      const back = await signInAgain(browser, sent.headers.get('location')!, person.email)
      assert.equal(back.headers.get('location'), server.publicUrl + path)
      assert.equal(await accepts(person.email, NEW_PASSWORD), false)
      const done = await browser.get(path, PAGE)
      assert.deepEqual(
        [done.status, done.headers.get('location')],
        [303, `http://127.0.0.1:4455/settings?flow=${flow.id}`],
      )
      const read = (await browser.get(`/self-service/settings/flows?id=${flow.id}`)).body
      assert.deepEqual([read.state, read.ui.messages[0].id], ['success', 1050001])
      assert.equal(await accepts(person.email, NEW_PASSWORD), true)
      assert.deepEqual(await containers(), [])
      await browser.get(path, PAGE)
      assert.notEqual((await browser.get(`/self-service/settings/flows?id=${flow.id}`)).body.ui.messages[0].id, 1050001)
    })

    test('a single-page app: 403 with where to go, and the same end', async () => {
      const { browser, person, path, form } = await oldSession()
      const sent = await browser.send('POST', path, { json: form })
      assert.deepEqual([sent.status, sent.body.error.id], [403, 'session_refresh_required'])
      await signInAgain(browser, sent.body.redirect_browser_to, person.email)
      await browser.get(path, PAGE)
      assert.equal(await accepts(person.email, NEW_PASSWORD), true)
    })

    test('traits as well', async () => {
      const { browser, person, path, form } = await oldSession()
      const email = `new-${person.email}`
      const fields = { method: 'profile', 'traits.email': email, csrf_token: form.csrf_token }
      const sent = await browser.send('POST', path, { form: fields, headers: PAGE })
      await signInAgain(browser, sent.headers.get('location')!, person.email)
      await browser.get(path, PAGE)
      assert.equal(await accepts(email, PASSWORD), true)
    })

    test('what waits is written as the server beside it reads it, and unreadable where there is none', async () => {
      const { browser, path, form, flow } = await oldSession()
      await browser.send('POST', path, { form, headers: PAGE })
      const row = (await containers()).at(-1)!
      assert.equal(row.name, 'ory_kratos_settings_password')
      assert.ok(row.left > 14 * 60 && row.left <= 15 * 60)
      if (backend === adopted) {
        const { method, password, flow: flowId, csrf_token } = row.payload
        assert.deepEqual({ method, password, flowId, csrf_token }, { ...form, flowId: flow.id })
      } else assert.doesNotMatch(JSON.stringify(row.payload), new RegExp(NEW_PASSWORD))
    })

    test('nothing is done for another session, another identity, another browser, another form, or too late', async () => {
      const tries: ((o: Awaited<ReturnType<typeof oldSession>>, at: string) => Promise<Client>)[] = [
        // The session has ended and the same person has begun another one.
        async ({ browser, person, sessionId }) => {
          await browser.send('DELETE', `${server.adminUrl}/admin/sessions/${sessionId}`)
          await signIn(browser, person)
          return browser
        },
        // Somebody else sits down at the same browser.
        async ({ browser, sessionId }) => {
          await browser.send('DELETE', `${server.adminUrl}/admin/sessions/${sessionId}`)
          await signIn(browser, await createPerson(server))
          return browser
        },
        async ({ person }) => {
          const other = new Client(server)
          await signIn(other, person)
          return other
        },
        async ({ browser, person }, at) => {
          await signInAgain(browser, at, person.email)
          await browser.get('/self-service/settings/browser')
          return browser
        },
        async ({ browser, person }, at) => {
          await signInAgain(browser, at, person.email)
          const text = `update continuity_containers set expires_at = expires_at - interval '20 minutes'`
          await server.db.query(sql('test.containers_late', text))
          return browser
        },
      ]
      for (const [i, step] of tries.entries()) {
        const old = await oldSession()
        const sent = await old.browser.send('POST', old.path, { form: old.form, headers: PAGE })
        const browser = await step(old, sent.headers.get('location')!)
        const reply = await browser.get(old.path, PAGE)
        assert.ok(reply.status < 500, reply.text)
        assert.equal(await accepts(old.person.email, NEW_PASSWORD), false, `try ${i}`)
        assert.equal(await accepts(old.person.email, PASSWORD), true, `try ${i}`)
      }
    })

    test('without the proof in between, it goes on waiting', async () => {
      const { browser, person, path, form } = await oldSession()
      await browser.send('POST', path, { form, headers: PAGE })
      const early = await browser.get(path, PAGE)
      assert.equal(early.status, 303)
      await signInAgain(browser, early.headers.get('location')!, person.email)
      await browser.get(path, PAGE)
      assert.equal(await accepts(person.email, NEW_PASSWORD), true)
    })

    test('a form that is too large to be kept is not kept, and the person is sent to sign in all the same', async () => {
      const { browser, path, form } = await oldSession()
      const before = (await containers()).length
      const json = { ...form, transient_payload: { a: 'x'.repeat(20_000) } }
      assert.equal((await browser.send('POST', path, { json })).body.error.id, 'session_refresh_required')
      assert.equal((await containers()).length, before)
    })

    test('an app has no browser that could come back', async () => {
      const before = (await containers()).length
      const old = await oldSession()
      const native = new Client(server)
      const { pathname, search } = new URL((await native.get('/self-service/login/api')).body.ui.action)
      const json = { method: 'password', identifier: old.person.email, password: PASSWORD }
      const { session, session_token } = (await native.send('POST', pathname + search, { json })).body
      await age(session.id)
      const headers = { 'x-session-token': session_token }
      const flow = (await native.get('/self-service/settings/api', headers)).body
      const to = `/self-service/settings?flow=${flow.id}`
      const reply = await native.send('POST', to, { json: { method: 'password', password: NEW_PASSWORD }, headers })
      assert.deepEqual([reply.status, reply.setCookie], [403, []])
      assert.equal((await containers()).length, before)
    })
  })
}
