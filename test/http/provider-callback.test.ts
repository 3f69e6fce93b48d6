import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { hookReceiver } from '../helpers/hook-receiver.ts'
import { leaveFor, serverWithProvider, signInAt, type WithProvider, whoami } from '../helpers/provider-sign-in.ts'
import { BROWSER } from '../helpers/ui.ts'

const PAGES = { lethe: { ui: { enabled: true } }, selfservice: { allowed_return_urls: ['{{public}}'] } }
const ada = { sub: 'ada', email: 'ada@example.org' }

describe('the way back from a provider', () => {
  const scope = closingScope()
  let all: WithProvider
  before(async () => {
    all = await serverWithProvider(scope, { config: { ...PAGES } }, (p) => [
      p.entry('one'),
      p.entry('unproved', { pkce: 'never' }),
      p.entry('silent', { issuer_url: `${p.issuer}/nowhere` }),
    ])
    await signInAt(all, ada)
  })
  after(() => scope.close())

  const back = async (client: Client, query = '') => all.provider.signIn(await leaveFor(client, 'one', { query }), ada)
  const asked = () => all.provider.asked.filter((path) => path === '/token').length

  test('a visit ahead of the person spends nothing', async () => {
    const client = new Client(all.server)
    const url = await back(client)
    const before = asked()
    for (const headers of [
      { 'sec-purpose': 'prefetch' },
      { 'sec-purpose': 'prefetch;prerender' },
      { purpose: 'prefetch' },
    ]) {
      const ahead = await client.get(url, headers as Record<string, string>)
      assert.deepEqual([ahead.status, ahead.headers.get('cache-control'), ahead.text], [204, NO_STORE, ''])
    }
    assert.equal((await client.send('HEAD', url)).status, 204)
    assert.equal(asked(), before)
    await client.get(url)
    assert.equal((await whoami(client)).status, 200)
  })

  test('sign-ins begun beside each other come back in any order', async () => {
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
      [1, 2, 0],
    ]) {
      const client = new Client(all.server)
      const urls = [await back(client), await back(client), await back(client)]
      for (const at of order) assert.ok([200, 303].includes((await client.get(urls[at]!)).status))
      assert.equal((await whoami(client)).status, 200)
    }
  })

  test('only the newest five of them count', async () => {
    const client = new Client(all.server)
    const urls: string[] = []
    for (let begun = 0; begun < 6; begun += 1) urls.push(await back(client))
    assert.equal((await client.get(urls[0]!)).status, 400)
    assert.equal((await client.get(urls[1]!)).status, 200)
  })

  test('another browser is refused before the provider is asked', async () => {
    const url = await back(new Client(all.server))
    const before = asked()
    const { status, body } = await new Client(all.server).get(url)
    assert.deepEqual([status, body.error.message, asked()], [400, 'no resumable session found', before])
    assert.equal(body.error.id, 'sign_in_begun_elsewhere')

    const returnTo = `${all.server.publicUrl}/ui/welcome`
    const opened = await back(new Client(all.server), `?return_to=${returnTo}`)
    const other = new Client(all.server)
    const { headers } = await other.get(opened, BROWSER)
    const page = await other.get(`/ui/error${new URL(headers.get('location')!).search}`, BROWSER)
    assert.match(page.text, /began in another browser/)
    assert.ok(page.text.includes(`/self-service/login/browser?${new URLSearchParams({ return_to: returnTo })}`))
  })

  test('an answer of another issuer is refused before its code is sent anywhere', async (t) => {
    const { issuer } = all.provider
    const bring = async (iss: string | undefined) => {
      const client = new Client(all.server)
      const url = new URL(all.provider.signIn(await leaveFor(client), ada))
      if (iss !== undefined) url.searchParams.set('iss', iss)
      const before = asked()
      const { status } = await client.get(url.href)
      return [status, asked() - before]
    }
    assert.deepEqual(await bring('https://other.example'), [400, 0])
    assert.deepEqual(await bring(`${issuer}/`), [400, 0])
    assert.deepEqual(await bring(issuer), [200, 1])

    t.after(() => all.server.reconfigure({ lethe: { providers: [] } }))
    assert.deepEqual(await bring(undefined), [200, 1])
    await all.server.reconfigure({ lethe: { providers: [{ id: 'one', require_iss: true }] } })
    assert.deepEqual(await bring(undefined), [400, 0])
    assert.deepEqual(await bring(issuer), [200, 1])
  })

  test('who cancels a registration is shown the way back to all ways, on the page', async () => {
    const client = new Client(all.server)
    const url = new URL(all.provider.signIn(await leaveFor(client, 'one', { kind: 'registration' }), ada))
    url.searchParams.delete('code')
    url.searchParams.set('error', 'access_denied')
    const page = await client.get(url.href, BROWSER)
    const flow = new URL(page.headers.get('location')!).search
    assert.match(
      (await client.get(`/ui/registration${flow}`, BROWSER)).text,
      /registration\/browser">All ways to create an/,
    )
    const fresh = await client.get('/self-service/registration/browser', BROWSER)
    const { search } = new URL(fresh.headers.get('location')!)
    assert.doesNotMatch((await client.get(`/ui/registration${search}`, BROWSER)).text, /All ways to create an/)
  })

  for (const [title, states] of [
    ['what the provider refuses is told in the form that the browser came from', true],
    ['where it says only that, the browser goes back to where it left last', false],
  ] as const)
    test(title, async () => {
      for (const error of ['access_denied', 'login_required', 'consent_required', 'made_up', 'constructor']) {
        const client = new Client(all.server)
        const url = new URL(await back(client))
        url.searchParams.delete('code')
        if (!states) url.searchParams.delete('state')
        url.searchParams.set('error', error)
        url.searchParams.set('error_description', `x${'😀'.repeat(2000)}\u0000`)
        const page = await client.get(url.href, BROWSER)
        assert.equal(page.status, 303)
        const id = new URL(page.headers.get('location')!).searchParams.get('flow')
        const { body } = await client.get(`/self-service/login/flows?id=${id}`)
        const [message] = body.ui.messages
        assert.match(message.text, new RegExp(error))
        assert.ok(message.text.length < 800)
        const { context } = message
        assert.deepEqual([message.id, context.provider, context.provider_error], [4000001, 'one', error])
        if (states) continue
        const other = await new Client(all.server).get(url.href)
        assert.deepEqual([other.status, other.body.error?.code], [400, 400])
        url.pathname = url.pathname.replace('/one', '/unproved')
        assert.equal((await client.get(url.href)).body.error?.code, 400)
      }
    })

  test('a code that is not good is the fault of who brings it, a provider that fails is not', async () => {
    const client = new Client(all.server)
    const url = new URL(await back(client))
    url.searchParams.set('code', 'made-up')
    const refused = await client.get(url.href)
    assert.equal(refused.status, 400)
    assert.match(refused.body.ui.messages[0].text, /did not accept the code/)
    for (const wrong of [
      { status: 503, body: {} },
      { status: 200, body: [] },
      { status: 302, body: {} },
    ]) {
      all.provider.instead.set('/token', () => wrong)
      const failed = await client.get(await back(client))
      assert.deepEqual([failed.status, failed.body.error.id], [502, 'upstream_error'])
    }
    all.provider.instead.delete('/token')
    assert.equal((await whoami(client)).status, 401)
  })

  test('a provider that posts is asked to come again with its cookies, and then signs in', async () => {
    const client = new Client(all.server)
    const url = new URL(await back(client))
    const form = Object.fromEntries(url.searchParams)
    const posted = await new Client(all.server).send('POST', url.pathname, { form, headers: BROWSER })
    assert.equal(posted.status, 302)
    await client.get(posted.headers.get('location')!)
    assert.equal((await whoami(client)).status, 200)
  })

  test('a private address that the provider names is not asked where they are closed', async () => {
    const document = `${all.provider.issuer}/.well-known/openid-configuration`
    const closed = { disallow_private_ip_ranges: true, private_ip_exception_urls: [document] }
    const client = new Client(all.server)
    const url = await back(client)
    const before = asked()
    await all.server.reconfigure({ clients: { http: closed } })
    const refused = await client.get(url)
    assert.deepEqual([refused.status, refused.body.error.id, asked()], [502, 'upstream_error', before])
    assert.equal((await whoami(client)).status, 401)
    await all.server.reconfigure({ clients: { http: { disallow_private_ip_ranges: false } } })
    assert.equal((await client.get(url)).status, 200)
  })

  test('none of it is there while the method is switched off', async () => {
    const client = new Client(all.server)
    const url = await back(client)
    await all.server.reconfigure({ selfservice: { methods: { oidc: { enabled: false } } } })
    assert.equal((await client.get(url)).status, 404)
    await all.server.reconfigure({ selfservice: { methods: { oidc: { enabled: true } } } })
    assert.equal((await client.get(url)).status, 200)
  })
})

const NO_STORE = 'private, no-cache, no-store, must-revalidate'

test('an account that is unlinked while its sign-in waits for a web hook lets nobody in', async (t) => {
  const receiver = await hookReceiver(t)
  const flows = { login: { after: { oidc: { hooks: [receiver.hook] } } } }
  const all = await serverWithProvider(t, { config: { selfservice: { flows } } })
  const client = new Client(all.server)
  const credentials = {
    password: { config: { password: 'quite-long-and-unknown' } },
    oidc: { config: { providers: [{ provider: 'one', subject: 'ada' }] } },
  }
  const json = { schema_id: 'default', traits: { email: ada.email }, credentials }
  const { body } = await client.send('POST', `${all.server.adminUrl}/admin/identities`, { json })
  const link = `${all.server.adminUrl}/admin/identities/${body.id}/credentials/oidc?identifier=one:ada`
  const way = all.provider.signIn(await leaveFor(client), ada)
  receiver.meanwhile = async () => {
    const gone = await new Client(all.server).send('DELETE', link)
    receiver.meanwhile = async () => {}
    assert.equal(gone.status, 204, gone.text)
  }
  await client.get(way)
  assert.equal((await whoami(client)).status, 401)
})
