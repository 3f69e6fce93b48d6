import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, signIn } from '../helpers/client.ts'
import type { Scope } from '../helpers/db.ts'
import { BROWSER, openLogin, pathOf, signedIn, uiServer } from '../helpers/ui.ts'

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
    await server.db.query(sql('test.all_traits', 'update identities set traits = $1'), [
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
    await server.db.query(sql('test.all_login_forms', 'update selfservice_login_flows set ui = $1'), [
      JSON.stringify(ui),
    ])
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

  it('is no failure in the row of a flow, which another program may have written', async (t: Scope) => {
    const methods = { totp: { enabled: true }, code: { enabled: true }, lookup_secret: { enabled: true } }
    const flows = { recovery: { enabled: true }, verification: { enabled: true } }
    const server = await uiServer(t, { config: { selfservice: { methods, flows } } })
    const { client: owner } = await signedIn(server)
    const field = { node_type: 'input', type: 'text', name: 'x' }
    const shown = { node_type: 'text', id: 'x', text: { id: 1, type: 'info', text: '', context: { secrets: [null] } } }
    const odd = [null, 7, {}, { group: 'x', attributes: null }, { group: 'x', attributes: { ...field, name: null } }]
    const nodes = [
      ...odd,
      { type: 'input', group: 'x', attributes: field, messages: [null, {}], meta: { label: null } },
      { type: 'text', group: 'x', attributes: shown, messages: 'x', meta: 7 },
      { type: 'text', group: 'x', attributes: { node_type: 'text' } },
    ]
    for (const kind of ['login', 'registration', 'settings', 'recovery', 'verification']) {
      const client = kind === 'settings' ? owner : new Client(server)
      const page = pathOf((await client.get(`/self-service/${kind}/browser`, BROWSER)).headers.get('location'))
      const [, token] = /name="csrf_token" value="([^"]+)"/.exec((await client.get(page, BROWSER)).text)!
      const id = new URLSearchParams(page.split('?')[1]).get('flow')
      const inRow = (column: string, value: unknown) =>
        server.db.query(
          sql(`test.${kind}.${column}`, `update selfservice_${kind}_flows set ${column} = $1 where id = $2`),
          [JSON.stringify(value), id],
        )
      const submit = (values: object) =>
        client.send('POST', `/self-service/${kind}?flow=${id}`, { json: { csrf_token: token, ...values } })
      for (const ui of ['x', { nodes: {}, messages: 'x' }, { action: 7, nodes, messages: [null, 'x', { id: 1 }] }]) {
        await inRow('ui', ui)
        const seen = [
          await client.get(page, BROWSER),
          await client.get(`/self-service/${kind}/flows?id=${id}`),
          await submit({ method: 'code', code: '123456' }),
        ]
        for (const { status, text } of seen) assert.ok(status < 500, `${kind} ${JSON.stringify(ui)}: ${text}`)
      }
      if (kind === 'recovery' || kind === 'verification') continue
      for (const context of [null, 'x', []]) {
        await inRow('internal_context', context)
        for (const method of [{ lookup_secret_confirm: true }, { totp_code: '123456' }])
          assert.ok((await submit(method)).status < 500, `${kind} ${context}`)
      }
    }
  })

  it('lets people sign in with a flow whose context another program left null', async (t: Scope) => {
    const server = await uiServer(t)
    const person = await createPerson(server)
    const client = new Client(server)
    const flow = (await client.get('/self-service/login/api')).body
    await server.db.query(
      sql('test.null_login_contexts', `update selfservice_login_flows set internal_context = 'null'`),
    )
    const json = { method: 'password', identifier: person.email, password: person.password }
    assert.equal((await client.send('POST', `/self-service/login?flow=${flow.id}`, { json })).status, 200)
  })
})
