import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  Client,
  createPerson,
  freshCsrfToken,
  isSignedIn,
  type Person,
  signIn,
  signInNative,
} from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const HOST = 'http://127.0.0.1:4455'
const UNREADABLE = /^Unable to parse the return_to query parameter as an URL: /
const FORBIDDEN = /^Requested return_to URL ".+" is not allowed\.$/s

/** Each would lead to an allowed place once a browser has mended it, or looks as if it did. */
const MALFORMED: [value: string, reason: RegExp][] = [
  ...([`${HOST}/a\tb`, `${HOST}\n/a`, `ht\ntp://127.0.0.1:4455/`, `${HOST}/\0`, `${HOST}/\x7f`] as const).map(
    (value): [string, RegExp] => [value, UNREADABLE],
  ),
  ...[`${HOST}/%zz`, `${HOST}/%`, `${HOST}/a%2`, `${HOST}/#%zz`, '/%g0'].map((value): [string, RegExp] => [
    value,
    UNREADABLE,
  ]),
  ...[`${HOST}\\a`, `http://127.0.0.1:4455\\@evil.test/`, 'http://127.0.0.1\\:4455/'].map((value): [string, RegExp] => [
    value,
    UNREADABLE,
  ]),
  ...[`\u200b${HOST}/`, ` ${HOST}/`, 'java\u200bscript:alert(1)', ':x', '1http://127.0.0.1:4455/'].map(
    (value): [string, RegExp] => [value, UNREADABLE],
  ),
  ...['http://127.0.0.%31:4455/', 'http://127.0.0.1:44x/', 'http://[::1', 'http://127.0.0.1 :4455/'].map(
    (value): [string, RegExp] => [value, UNREADABLE],
  ),
  ...[`${HOST}/%00`, `${HOST}/a%0Ab`, `${HOST}/#\n`, `${HOST}/a `].map((value): [string, RegExp] => [value, FORBIDDEN]),
  ...[`http:\\\\127.0.0.1:4455\\`, '/\\evil.test', '\\\\evil.test', `${HOST}/a\\b`, `${HOST}/?q=\\`].map(
    (value): [string, RegExp] => [value, FORBIDDEN],
  ),
  ...['a', './a', '../a', '*', 'http:a', 'http:/a', 'http:', 'http://', '///evil.test', 'javascript:alert(1)'].map(
    (value): [string, RegExp] => [value, FORBIDDEN],
  ),
  ...['http://\u00ad127.0.0.1:4455/', 'http://127.1:4455/', 'http://127.0.0.1:04455/', `http://x@127.0.0.1:4455/`].map(
    (value): [string, RegExp] => [value, FORBIDDEN],
  ),
]

describe('a return_to that a browser would have to repair', () => {
  const scope = closingScope()
  let server: TestServer
  let person: Person
  let browser: Client
  let token: string
  before(async () => {
    server = await testServer(scope)
    person = await createPerson(server)
    browser = new Client(server)
    await signIn(browser, person)
    token = (await signInNative(server, person)).token
  })
  after(() => scope.close())

  const ask = (query: string): Record<string, () => ReturnType<Client['get']>> => ({
    'login in a browser': () => new Client(server).get(`/self-service/login/browser?${query}`),
    'login by refresh': () => browser.get(`/self-service/login/browser?refresh=true&${query}`),
    'login in an app': () => new Client(server).get(`/self-service/login/api?${query}`),
    'registration in a browser': () => new Client(server).get(`/self-service/registration/browser?${query}`),
    'registration in an app': () => new Client(server).get(`/self-service/registration/api?${query}`),
    'settings in a browser': () => browser.get(`/self-service/settings/browser?${query}`),
    'settings in an app': () =>
      new Client(server).get(`/self-service/settings/api?${query}`, { 'x-session-token': token }),
    'a logout that begins': () => browser.get(`/self-service/logout/browser?${query}`),
    'a logout that ends': async () => {
      const { logout_token } = (await browser.get('/self-service/logout/browser')).body
      return browser.get(`/self-service/logout?token=${logout_token}&${query}`)
    },
  })

  for (const place of Object.keys(ask(''))) {
    test(`${place}: 400, and nothing happens`, async () => {
      for (const [value, reason] of MALFORMED) {
        const reply = await ask(new URLSearchParams({ return_to: value }).toString())[place]!()
        assert.equal(reply.status, 400, `${JSON.stringify(value)} got ${reply.status}: ${reply.text}`)
        assert.match(reply.body.error.reason, reason, JSON.stringify(value))
      }
      assert.equal(await isSignedIn(browser), true)
    })
  }

  test('POST of a logout: 400, and nothing ends', async () => {
    for (const [return_to] of MALFORMED) {
      const json = { return_to, csrf_token: await freshCsrfToken(browser) }
      const reply = await browser.send('POST', '/self-service/logout', { json })
      assert.equal(reply.status, 400, `${JSON.stringify(return_to)}: ${reply.text}`)
    }
    assert.equal(await isSignedIn(browser), true)
  })

  test('pages of ours put it into no link', async () => {
    for (const [return_to] of MALFORMED) {
      const query = new URLSearchParams({ return_to })
      for (const page of ['/logout', '/ui/signed-out']) {
        const { text } = await browser.get(`${page}?${query}`, { accept: 'text/html' })
        assert.doesNotMatch(text, /evil\.test|name="return_to"/, `${page} with ${JSON.stringify(return_to)}`)
      }
    }
  })

  test('a configured address in any letters is sent in escapes, and a logout that leads there succeeds', async () => {
    const [client, HTML] = [new Client(server), { accept: 'text/html' }]
    await signIn(client, person)
    const { logout_url } = (await client.get('/self-service/logout/browser')).body
    const before = server.deps.config().selfservice
    await server.reconfigure({
      selfservice: {
        flows: {
          login: { ui_url: 'https://app.test/登录' },
          logout: { after: { default_browser_return_url: 'https://bücher.test/zurück' } },
        },
      },
    })
    const login = (await new Client(server).get('/self-service/login/browser', HTML)).headers.get('location')
    const out = (await client.get(logout_url, HTML)).headers.get('location')
    await server.reconfigure({
      selfservice: {
        flows: {
          login: { ui_url: before.flows.login.ui_url },
          logout: {
            after: { default_browser_return_url: before.flows.logout.after.default_browser_return_url ?? null },
          },
        },
      },
    })
    assert.match(login ?? '', /^https:\/\/app\.test\/%E7%99%BB%E5%BD%95\?flow=/)
    assert.equal(out, 'https://b%C3%BCcher.test/zur%C3%BCck')
  })

  test('a parameter that cannot be decoded counts as not sent', async () => {
    const { body } = await browser.get(`/self-service/logout/browser?return_to=${HOST}/%zz`)
    assert.doesNotMatch(body.logout_url, /return_to/)
  })
})
