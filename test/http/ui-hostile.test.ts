import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Client, createPerson, signIn } from '../helpers/client.ts'
import type { Scope } from '../helpers/db.ts'
import { BROWSER, openLogin, pathOf, uiServer } from '../helpers/ui.ts'

describe('what comes from outside', () => {
  const EVIL = `"><script>alert(1)</script><img src=x onerror='x'>`
  const escaped = '&quot;&gt;&lt;script&gt;'

  it('is text on the account page: traits, devices, addresses', async (t: Scope) => {
    const server = await uiServer(t)
    const person = await createPerson(server, { name: { first: EVIL, last: EVIL } })
    const client = new Client(server)
    const headers = { 'user-agent': `Firefox/1 ${EVIL}`, 'true-client-ip': EVIL, 'cf-ipcity': EVIL }
    const send = client.send.bind(client)
    client.send = (method, target, o = {}) => send(method, target, { ...o, headers: { ...o.headers, ...headers } })
    await signIn(client, person)
    await server.db.query({ name: 'test.traits', text: 'update identities set traits = $1' }, [
      JSON.stringify({ email: EVIL }),
    ])
    for (const path of ['/ui/welcome', '/logout', '/ui/signed-out']) {
      const page = await client.get(path, BROWSER)
      assert.equal(page.status, 200)
      assert.ok(page.text.includes(escaped), path)
      assert.doesNotMatch(page.text, /<script|<img/)
    }
  })

  it('is text in forms and messages', async (t: Scope) => {
    const server = await uiServer(t)
    const client = new Client(server)
    const { path, reply } = await openLogin(client)
    const token = /name="csrf_token" value="([^"]+)"/.exec(reply.text)![1]!
    const action = `/self-service/login${path.slice(path.indexOf('?'))}`
    const form = { csrf_token: token, identifier: EVIL, password: 'x', method: 'password' }
    const sent = await client.send('POST', action, { form, headers: BROWSER })
    assert.equal(sent.status, 303)
    const again = await client.get(pathOf(sent.headers.get('location')), BROWSER)
    assert.ok(again.text.toLowerCase().includes(`value="${escaped}`))
    const ui = { action: 'javascript:x', nodes: [], messages: [{ id: 1, type: EVIL, text: EVIL }] }
    await server.db.query({ name: 'test.ui', text: 'update selfservice_login_flows set ui = $1' }, [JSON.stringify(ui)])
    const hostile = await client.get(path, BROWSER)
    assert.ok(hostile.text.includes(`<p>${escaped}`))
    for (const page of [again, hostile]) assert.doesNotMatch(page.text, /<script|<img|javascript:/)
  })

  it('is text on the error page, which says nothing of the inside', async (t: Scope) => {
    const server = await uiServer(t)
    const client = new Client(server)
    const show = async (error: unknown) => {
      const id = await server.deps.errors.create(error as never, '')
      return (await client.get(`/ui/error?id=${id}`, BROWSER)).text
    }
    const shown = await show({ code: 400, id: EVIL, reason: EVIL, message: 'm', details: { debug: 'inside' } })
    assert.ok(shown.includes(`<p>${escaped}`))
    assert.doesNotMatch(shown, /<script|<img|inside/)
    assert.doesNotMatch(await show({ code: 500, reason: 'relation "sessions" does not exist' }), /relation/)
    for (const odd of [null, [], 'x', 7, [{ code: 404 }], { code: 'x' }]) assert.match(await show(odd), /<h1>/)
    const stray = await client.get(`/ui/error?id=${encodeURIComponent(EVIL)}`, BROWSER)
    assert.equal(stray.status, 200)
    assert.doesNotMatch(stray.text, /alert\(/)
  })
})
