import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, type Reply } from '../helpers/client.ts'
import type { Scope } from '../helpers/db.ts'
import { testServer } from '../helpers/server.ts'
import { BROWSER, ID, openLogin, pathOf, signedIn, uiServer } from '../helpers/ui.ts'

/** Name → sources of a Content-Security-Policy. */
function policyOf(reply: Reply): Map<string, string[]> {
  const text = reply.headers.get('content-security-policy') ?? ''
  return new Map(text.split('; ').map((part) => [part.split(' ')[0]!, part.split(' ').slice(1)]))
}

describe('every page', () => {
  it('runs no script, cannot be framed, sends no Referer, and is not cached', async (t: Scope) => {
    const server = await uiServer(t)
    const { client } = await signedIn(server)
    const pages = [
      (await openLogin(new Client(server))).reply,
      (await openLogin(client, '?refresh=true')).reply,
      ...(await Promise.all(
        [
          '/ui/welcome',
          '/ui/signed-out',
          '/ui/error?id=stub:500',
          `/ui/error?id=${ID}`,
          '/logout',
          `/logout?return_to=${server.publicUrl}/x`,
        ].map((path) => client.get(path, BROWSER)),
      )),
      await new Client(server).get('/logout', BROWSER),
      await new Client(server).get(
        pathOf((await openLogin(new Client(server))).path.replace(/^/, server.publicUrl)),
        BROWSER,
      ),
    ]
    for (const page of pages) {
      assert.match(page.headers.get('content-type') ?? '', /^text\/html; charset=utf-8$/)
      const policy = policyOf(page)
      assert.deepEqual(policy.get('default-src'), ["'none'"])
      assert.deepEqual(policy.get('frame-ancestors'), ["'none'"])
      assert.deepEqual(policy.get('base-uri'), ["'none'"])
      assert.deepEqual(policy.get('img-src'), ['data:'])
      assert.deepEqual(policy.get('form-action'), ["'self'", server.publicUrl])
      assert.equal(policy.has('script-src'), false)
      assert.equal(page.headers.get('referrer-policy'), 'no-referrer')
      assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
      assert.equal(page.headers.get('cache-control'), 'no-store')
      assert.match(page.text, /^<!doctype html>\n<html lang="en">/)
      assert.doesNotMatch(page.text, /<script|\son\w+=|\sstyle=|javascript:|<iframe|<base/i)
      const addresses = [...page.text.matchAll(/\s(?:href|src|action)="([^"]*)"/g)].map((match) => match[1]!)
      assert.ok(addresses.length > 0)
      for (const address of addresses.filter(
        (a) => /^[a-z]+:|^\/\//i.test(a) && !a.startsWith('data:image/svg+xml,'),
      )) {
        assert.ok(address.startsWith(`${server.publicUrl}/`), `leads away: ${address}`)
      }
      const style = /<style>([\s\S]*)<\/style>/.exec(page.text)?.[1]
      const hash = style && `'sha256-${createHash('sha256').update(style).digest('base64')}'`
      assert.deepEqual(policy.get('style-src'), [hash ?? "'self'"])
    }
  })

  it('lets forms lead where the configuration lets people go, and nowhere else', async (t: Scope) => {
    const server = await uiServer(t, {
      config: {
        selfservice: {
          default_browser_return_url: 'https://app.example.com/home',
          allowed_return_urls: ['https://*.example.org/app', 'exp://localhost:8081/--/Callback', 'http://[::1]:99/'],
        },
      },
    })
    const { reply } = await openLogin(new Client(server))
    assert.deepEqual(policyOf(reply).get('form-action')?.sort(), [
      "'self'",
      'exp:',
      server.publicUrl,
      'https://*.example.org',
      'https://app.example.com',
    ])
  })

  it('lets forms lead anywhere where they lead to a provider, whose button Enter does not press', async (t: Scope) => {
    const one = { id: 'one', provider: 'gitlab', client_id: 'c', client_secret: 's', mapper_url: 'base64://e30=' }
    const oidc = { enabled: true, config: { providers: [one] } }
    const server = await uiServer(t, { config: { selfservice: { methods: { oidc } } } })
    const { reply } = await openLogin(new Client(server))
    assert.equal(policyOf(reply).has('form-action'), false)
    const buttons = [...reply.text.matchAll(/<button([^>]*)>/g)].map(([, given]) => given!)
    assert.match(buttons[0]!, /value="password"/)
    assert.match(buttons.find((given) => given.includes('value="one"'))!, /formnovalidate/)
    const other = await uiServer(t, { config: { oauth2_provider: { url: 'http://127.0.0.1:9' } } })
    assert.equal(policyOf((await openLogin(new Client(other))).reply).has('form-action'), false)
  })

  it('changes nothing when it is opened', async (t: Scope) => {
    const server = await uiServer(t)
    const { client } = await signedIn(server)
    const login = await openLogin(client, '?refresh=true')
    const state = async () => {
      const text = `select (select json_agg(s order by id) from sessions s) as sessions, (select json_agg(e) from lethe.events e) as events,
        (select json_agg(f order by id) from selfservice_login_flows f) as flows`
      return JSON.stringify(await server.db.query(sql('test.state_of_pages', text)))
    }
    const before = await state()
    for (const path of ['/ui/welcome', '/logout', '/logout?scope=all', '/ui/signed-out', login.path]) {
      for (const method of ['GET', 'HEAD'])
        assert.equal((await client.send(method, path, { headers: BROWSER })).status, 200)
    }
    assert.equal(await state(), before)
    assert.equal((await client.get('/sessions/whoami')).status, 200)
  })

  it('is only there where it is wanted; the link to sign out always is', async (t: Scope) => {
    const server = await testServer(t, { dev: true })
    const client = new Client(server)
    for (const path of ['/ui/login', '/ui/welcome', '/ui/error', '/ui/style.css']) {
      assert.equal((await client.get(path, BROWSER)).status, 404, path)
    }
    assert.equal((await client.get('/logout', BROWSER)).status, 200)
    const forced = await testServer(t, { dev: true, db: server.db, config: { lethe: { ui: { enabled: true } } } })
    assert.equal((await new Client(forced).get('/ui/error', BROWSER)).status, 200)
    const off = await uiServer(t, { db: server.db, config: { lethe: { ui: { enabled: false } } } })
    assert.equal((await new Client(off).get('/ui/error', BROWSER)).status, 404)
  })

  it('has its texts from the configuration, as texts', async (t: Scope) => {
    const texts = { lang: 'de', brand: '<Firma>', 'login.title': 'Anmelden', '1010022': 'Los & rein' }
    const server = await uiServer(t, { config: { lethe: { ui: { texts: { ...texts, 'login.titel': 'x' } } } } })
    const { reply } = await openLogin(new Client(server))
    assert.match(reply.text, /<html lang="de">[\s\S]*<title>Anmelden – &lt;Firma&gt;<\/title>/)
    assert.match(reply.text, />Los &amp; rein<\/button>/)
    assert.match(server.logs(), /"names":\["login.titel"\]/)
  })

  it('has one style sheet, which carries no cookie and may be kept for good', async (t: Scope) => {
    const server = await uiServer(t)
    const { reply } = await openLogin(new Client(server))
    const path = /href="\.\.(\/ui\/style\.css\?v=\w+)"/.exec(reply.text)![1]!
    const style = await new Client(server).get(path)
    assert.deepEqual([style.status, style.setCookie], [200, []])
    assert.equal(style.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    assert.equal(style.headers.get('content-type'), 'text/css; charset=utf-8')
    assert.equal((await new Client(server).get('/ui/style.css?v=0')).headers.get('cache-control'), 'no-cache')
  })
})
