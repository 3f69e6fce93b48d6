import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailable } from '../../src/kernel/db/client.ts'
import { Client, type Reply } from '../helpers/client.ts'
import { postgres, type Scope } from '../helpers/db.ts'
import { CODES, giveCodes, SECOND_FACTORS } from '../helpers/second-factor.ts'
import { BROWSER, ID, openLogin, pathOf, signedIn, uiServer } from '../helpers/ui.ts'

describe('a form', () => {
  it('is begun where none is named, unknown, expired or of another browser, and keeps where to return to', async (t: Scope) => {
    const clock = { at: Date.parse('2026-11-22T12:00:00Z') * 1000, now: () => (clock.at += 1) }
    const server = await uiServer(t, { clock })
    const client = new Client(server)
    const begins = async (path: string, location: string) => {
      const reply = await client.get(path, BROWSER)
      assert.deepEqual([reply.status, reply.headers.get('location')], [303, server.publicUrl + location], path)
    }
    await begins('/ui/login', '/self-service/login/browser')
    await begins(
      '/ui/login?return_to=http%3A%2F%2Fa%2F%3Fb',
      '/self-service/login/browser?return_to=http%3A%2F%2Fa%2F%3Fb',
    )
    for (const id of [ID, 'nonsense', "' or 1=1"]) {
      await begins(`/ui/login?flow=${encodeURIComponent(id)}`, '/self-service/login/browser')
    }
    const other = await openLogin(new Client(server))
    await client.get('/ui/error', BROWSER)
    await begins(other.path, '/self-service/login/browser')
    const back = encodeURIComponent(`${server.publicUrl}/back`)
    const { path, reply } = await openLogin(client, `?return_to=${back}`)
    assert.equal(reply.status, 200)
    clock.at += 3_601_000_000
    await begins(path, `/self-service/login/browser?return_to=${back}`)
  })

  it('that fits no cookie says so instead of beginning for ever', async (t: Scope) => {
    const server = await uiServer(t)
    const { path } = await openLogin(new Client(server))
    const reply = await new Client(server).get(path, BROWSER)
    assert.equal(reply.status, 403)
    assert.match(reply.text, /sent no cookie/)
  })

  it('of an app is not shown', async (t: Scope) => {
    const server = await uiServer(t)
    const client = new Client(server)
    const { body } = await client.get('/self-service/login/api')
    assert.equal((await client.get(`/ui/login?flow=${body.id}`, BROWSER)).status, 303)
  })
})

describe('the account page', () => {
  it('is where the bare address of the server leads', async (t: Scope) => {
    const server = await uiServer(t)
    const reply = await new Client(server).get('/', BROWSER)
    assert.deepEqual([reply.status, reply.headers.get('location')], [303, 'ui/welcome'])
  })

  it('offers new backup codes once three are left, and says what a removal takes away', async (t: Scope) => {
    const aal1 = {
      selfservice: { flows: { settings: { required_aal: 'aal1' } } },
      session: { whoami: { required_aal: 'aal1' } },
    }
    const server = await uiServer(t, {
      config: { ...aal1, selfservice: { ...aal1.selfservice, ...SECOND_FACTORS.selfservice } },
    })
    const { client, person } = await signedIn(server)
    const shown = async () => {
      const begun = await client.get('/self-service/settings/browser', BROWSER)
      const settings = await client.get(pathOf(begun.headers.get('location')), BROWSER)
      return [settings.text, (await client.get('/ui/welcome', BROWSER)).text]
    }
    await giveCodes(server, person)
    for (const text of await shown()) assert.doesNotMatch(text, /backup codes are left\./)
    await giveCodes(server, person, CODES.slice(1))
    for (const text of await shown()) assert.match(text, /Only 3 of your backup codes are left\./)
    const [settings] = await shown()
    assert.match(settings!, /<button [^>]*name="lookup_secret_regenerate"/)
    assert.match(
      settings!,
      /<details>[\s\S]*will not do as your second step[\s\S]*name="lookup_secret_disable"[\s\S]*<\/details>/,
    )
  })

  it('sends who is not signed in to sign in, and back where that is allowed', async (t: Scope) => {
    const server = await uiServer(t)
    const reply = await new Client(server).get('/ui/welcome', BROWSER)
    const back = encodeURIComponent(`${server.publicUrl}/ui/welcome`)
    assert.equal(reply.headers.get('location'), `${server.publicUrl}/self-service/login/browser?return_to=${back}`)
    await server.reconfigure({ selfservice: { allowed_return_urls: [] } })
    const bare = await new Client(server).get('/ui/welcome', BROWSER)
    assert.equal(bare.headers.get('location'), `${server.publicUrl}/self-service/login/browser`)
  })
})

describe('the link to sign out', () => {
  const hidden = (page: Reply, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1]

  it('keeps where to return to only where that is allowed', async (t: Scope) => {
    const server = await uiServer(t)
    const { client } = await signedIn(server)
    const open = (url: string) => client.get(`/logout?return_to=${encodeURIComponent(url)}`, BROWSER)
    assert.equal(hidden(await open(`${server.publicUrl}/bye`), 'return_to'), `${server.publicUrl}/bye`)
    for (const url of [
      'https://evil.example/',
      `${server.publicUrl}@evil.example/`,
      'javascript:alert(1)',
      '//evil.example',
      'http://[',
    ]) {
      const page = await open(url)
      assert.equal(page.status, 200, url)
      assert.equal(hidden(page, 'return_to'), undefined, url)
      assert.match(page.text, /address that is not allowed/)
      assert.doesNotMatch(page.text, /evil|javascript/)
    }
  })

  it('asks, and its form signs out', async (t: Scope) => {
    const server = await uiServer(t)
    const { client, person } = await signedIn(server)
    const page = await client.get('/logout', BROWSER)
    assert.ok(page.text.includes(person.email))
    const form = { csrf_token: hidden(page, 'csrf_token')!, scope: 'current' }
    const done = await client.send('POST', '/self-service/logout', { form, headers: { ...BROWSER, origin: 'null' } })
    assert.deepEqual([done.status, done.headers.get('location')], [303, `${server.publicUrl}/ui/signed-out`])
    const after = await client.get('/ui/signed-out?ended=1', BROWSER)
    assert.match(after.text, /You are signed out[\s\S]*One session was ended/)
  })

  it('says "signed out" only to who is', async (t: Scope) => {
    const server = await uiServer(t)
    const { client, person } = await signedIn(server)
    const page = await client.get('/ui/signed-out?ended=1', BROWSER)
    assert.match(page.text, /<h1>You are still signed in/)
    assert.ok(page.text.includes(person.email))
    const back = encodeURIComponent(`${server.publicUrl}/app`)
    const out = await new Client(server).get(`/logout?return_to=${back}`, BROWSER)
    assert.match(out.text, /<h1>You are signed out/)
    assert.ok(out.text.includes(`href="${server.publicUrl}/app"`))
    assert.ok(out.text.includes(`href="./self-service/login/browser?return_to=${back}"`))
  })
})

describe('while the store is away', () => {
  it('browsers get a page that stands alone and says when to come back, scripts get JSON, and no browser loses a cookie', async (t: Scope) => {
    const db = await postgres.open(t)
    let away = false
    const flaky = {
      ...db,
      query: (...args: Parameters<typeof db.query>) =>
        away ? Promise.reject(new StoreUnavailable('connection refused to 10.1.2.3')) : db.query(...args),
    }
    const server = await uiServer(t, { db: flaky as typeof db })
    const { client } = await signedIn(server)
    away = true
    for (const path of [
      '/ui/welcome',
      '/logout',
      `/ui/login?flow=${ID}`,
      `/ui/error?id=${ID}`,
      '/self-service/login/browser',
      '/self-service/logout?token=secret',
    ]) {
      const page = await client.get(path, BROWSER)
      assert.equal(page.status, 503, path)
      assert.match(page.headers.get('retry-after') ?? '', /^\d+$/)
      assert.equal(page.headers.get('referrer-policy'), 'no-referrer')
      assert.match(page.text, /<style>[\s\S]*<h1>We will be right back<\/h1>/)
      assert.doesNotMatch(page.text, /10\.1\.2\.3|connection|secret|style\.css/)
      assert.ok(!page.setCookie.some((line) => line.startsWith('ory_kratos_session')), path)
      const json = await client.get(path)
      assert.equal(json.status, 503)
      assert.equal(json.body.error.code, 503)
    }
    away = false
    assert.equal((await client.get('/ui/welcome', BROWSER)).status, 200)
  })
})
