import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { apiDocument } from '../../src/api.ts'
import { Client, createPerson, csrfOf, signIn } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

/** Each stands here for a reason: the flow checks for itself, no form can send the method, or nothing is changed. */
const TAKEN_WITHOUT_TOKEN = [
  'DELETE /self-service/logout/api',
  'DELETE /sessions',
  'DELETE /sessions/{id}',
  'POST /self-service/login',
  'POST /self-service/logout',
  'POST /self-service/recovery',
  'POST /self-service/registration',
  'POST /self-service/settings',
  'POST /self-service/verification',
]

describe('a public route that changes something asks for an anti-CSRF token, unless its own line says otherwise', () => {
  let server: TestServer
  const scope = closingScope()
  before(async () => {
    server = await testServer(scope, { config: { lethe: { ui: { enabled: true } } } })
  })
  after(() => scope.close())

  const refused = async (method: string, path: string) => {
    const { status, body } = await new Client(server).send(method, path.replace(/\{\w+\}/g, 'x'), { json: {} })
    return status === 403 && body?.error?.id === 'security_csrf_violation'
  }

  test('the list of those that say otherwise is complete', async () => {
    const { paths } = apiDocument('') as { paths: Record<string, Record<string, { 'x-port'?: string }>> }
    const unsafe = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, operation]) =>
        ['post', 'put', 'patch', 'delete'].includes(method) && operation['x-port'] === 'public'
          ? [{ method: method.toUpperCase(), path }]
          : [],
      ),
    )
    const taken = []
    for (const { method, path } of unsafe) if (!(await refused(method, path))) taken.push(`${method} ${path}`)
    assert.deepEqual(taken.sort(), TAKEN_WITHOUT_TOKEN)
  })

  for (const path of ['/nothing', '/ui/login', '/self-service/logout/browser', '/self-service/login/flows', '/schemas'])
    test(`a method that ${path} does not have is refused for its token first`, async () =>
      assert.ok(await refused('POST', path)))

  for (const [path, status] of [
    ['/sessions/whoami/more', 404],
    ['/schemas/default', 405],
    ['/self-service/login/api', 405],
    ['/identities/x/sessions', 307],
  ] as const)
    test(`POST ${path} is ${status} without a token`, async () =>
      assert.equal((await new Client(server).send('POST', path, { json: {} })).status, status))
})

test('a form that was open while its person signed in again, in another tab, leads on, and never to an error page', async (t) => {
  const flows = { recovery: { enabled: true }, verification: { enabled: true } }
  const server = await testServer(t, { config: { selfservice: { flows, methods: { code: { enabled: true } } } } })
  const person = await createPerson(server)
  const { email, password } = person
  const home = server.deps.config().selfservice.default_browser_return_url
  const begin = (kind: string) => `${server.publicUrl}/self-service/${kind}/browser`
  const forms: [kind: string, form: Record<string, string>, to: string][] = [
    ['login', { method: 'password', identifier: email, password }, home],
    ['registration', { method: 'password', password: 'a-new-long-one-99', 'traits.email': 'new@example.org' }, home],
    ['recovery', { method: 'code', email }, home],
    ['verification', { method: 'code', email }, begin('verification')],
    ['settings', { method: 'password', password: 'a-new-long-one-99' }, begin('settings')],
  ]
  for (const [kind, form, to] of forms) {
    const browser = new Client(server)
    if (kind === 'settings') await signIn(browser, person)
    const { body: flow } = await browser.get(`/self-service/${kind}/browser`)
    if (kind === 'settings') await browser.get((await browser.get('/self-service/logout/browser')).body.logout_url)
    await signIn(browser, person)
    const { pathname, search } = new URL(flow.ui.action)
    const send = (headers: Record<string, string>) =>
      browser.send('POST', pathname + search, { form: { ...form, csrf_token: csrfOf(flow) }, headers })
    const reply = await send({ accept: 'text/html' })
    assert.deepEqual([Math.trunc(reply.status / 100), reply.headers.get('location')], [3, to], kind)
    assert.ok((await send({ accept: 'application/json' })).status >= 400, `${kind} for a script`)
  }
})
