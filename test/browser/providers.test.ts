import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { SECOND, systemClock } from '../../src/kernel/base/clock.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { createPerson, PASSWORD } from '../helpers/client.ts'

import { realProvider } from '../helpers/real-provider.ts'
import type { TestServer } from '../helpers/server.ts'
import { MAPPER } from '../helpers/stub-provider.ts'
import { uiServer } from '../helpers/ui.ts'

const CALLBACK = /\/self-service\/methods\/oidc\/callback/

it('people sign in at a real provider, with all that browsers do', async (t) => {
  let late = 0
  const real = systemClock()
  const clock = { ...real, now: () => real.now() + late * SECOND }
  let server: TestServer | undefined
  const upstream = await realProvider(t, () => server!.publicUrl)
  const entry = {
    ...{ provider: 'generic', client_id: 'lethe', client_secret: upstream.clientSecret },
    ...{ issuer_url: upstream.issuer, scope: ['openid', 'email'], mapper_url: MAPPER },
  }
  server = await uiServer(t, {
    clock,
    config: {
      selfservice: {
        methods: {
          oidc: {
            enabled: true,
            config: {
              providers: [
                { id: 'real', label: 'Real', ...entry },
                { id: 'away', label: 'Away', ...entry, issuer_url: 'http://127.0.0.1:9' },
              ],
            },
          },
        },
        flows: { registration: { after: { oidc: { hooks: [{ hook: 'session' }] } } } },
      },
    },
  })
  const { publicUrl } = server
  const browser = await launchChromium(t)
  if (!browser) return
  const open = async (context?: BrowserContext) => (context ?? (await browser.newContext())).newPage()

  const toProvider = async (
    page: Page,
    path = '/self-service/login/browser',
    button = '[name=provider][value=real]',
  ) => {
    await page.goto(publicUrl + path)
    await page.click(button)
  }
  /** What a person does there; the provider may know them already. */
  async function atProvider(page: Page, name: string, consents = true) {
    await page.waitForURL((url) => url.origin === upstream.issuer)
    await page.fill('[name=login]', name)
    await page.fill('[name=password]', 'x')
    await page.click('[type=submit]')
    if (consents) await page.click('[type=submit]')
  }
  const signedInAs = async (page: Page) => {
    const answer = await page.context().request.get(`${publicUrl}/sessions/whoami`)
    return answer.status() === 200 ? (await answer.json()).identity.traits.email : undefined
  }
  const arrived = (page: Page) => page.waitForURL(`${publicUrl}/ui/welcome`)
  /** The callback of somebody whom the provider knows by now, as the browser would have opened it, not opened. */
  async function held(page: Page): Promise<string> {
    await page.goto(`${publicUrl}/self-service/login/browser`)
    const [action = '', token = ''] = await Promise.all([
      page.getAttribute('form', 'action').then(String),
      page.getAttribute('[name=csrf_token]', 'value').then(String),
    ])
    const { request } = page.context()
    const form = { csrf_token: token, provider: 'real' }
    let answer = await request.post(new URL(action, page.url()).href, { form, maxRedirects: 0 })
    for (let hops = 0; hops < 10; hops += 1) {
      const to = new URL(answer.headers().location ?? assert.fail(`${answer.status()} leads nowhere`), answer.url())
        .href
      if (CALLBACK.test(to)) return to
      answer = await request.get(to, { maxRedirects: 0 })
    }
    return assert.fail('never came back')
  }
  const ada = await open()
  const forget = (page: Page) => page.context().clearCookies({ name: 'ory_kratos_session' })

  await t.test('the first time an account is made; the second time the provider knows them', async () => {
    await toProvider(ada)
    await atProvider(ada, 'ada')
    await arrived(ada)
    assert.equal(await signedInAs(ada), 'ada@example.org')
    await forget(ada)
    await toProvider(ada)
    await arrived(ada)
    assert.equal(await signedInAs(ada), 'ada@example.org')
  })

  await t.test('a callback that is opened again begins nothing', async () => {
    await forget(ada)
    const callback = await held(ada)
    await ada.goto(callback)
    await arrived(ada)
    await ada.goto(callback)
    await arrived(ada)
    await forget(ada)
    await ada.goto(callback)
    assert.equal(await signedInAs(ada), undefined)
  })

  await t.test('another browser cannot finish what this one began', async () => {
    const [mine, other] = [await open(), await open()]
    await toProvider(mine)
    await atProvider(mine, 'bob')
    await arrived(mine)
    await forget(mine)
    const callback = await held(mine)
    await other.goto(callback)
    assert.match(other.url(), /\/ui\/error/)
    assert.equal(await signedInAs(other), undefined)
    await mine.goto(callback)
    assert.equal(await signedInAs(mine), 'bob@example.org')
  })

  await t.test('of two tabs the first one comes back as well', async () => {
    const first = await open()
    const second = await open(first.context())
    await toProvider(first)
    await first.waitForURL((url) => url.origin === upstream.issuer)
    await toProvider(second)
    await second.waitForURL((url) => url.origin === upstream.issuer)
    await atProvider(first, 'carol')
    await arrived(first)
    assert.equal(await signedInAs(first), 'carol@example.org')
    await second.reload()
    await atProvider(second, 'carol', false)
    await arrived(second)
  })

  await t.test('who cancels there is back at the form, and may choose again', async () => {
    const page = await open()
    await toProvider(page)
    await page.click('text=Cancel')
    await page.waitForURL(/\/ui\/login/)
    assert.match((await page.textContent('main')) ?? '', /You have not signed in at Real/)
    await page.click('[name=provider][value=real]')
    await atProvider(page, 'dora')
    await arrived(page)
  })

  await t.test('an account is linked in the settings, and unlinked', async () => {
    const page = await open()
    const person = await createPerson(server!)
    await page.goto(`${publicUrl}/self-service/login/browser`)
    await page.fill('[name=identifier]', person.email)
    await page.fill('[name=password]', PASSWORD)
    await page.click('[name=method][value=password]')
    await arrived(page)
    await toProvider(page, '/self-service/settings/browser', '[name=link][value=real]')
    await atProvider(page, 'erin')
    await page.waitForURL(/\/ui\/settings/)
    await page.locator('details summary').click()
    assert.match((await page.textContent('details'))!, /still be able to sign in by: your password\./)
    await page.click('[name=unlink][value=real]')
    await page.waitForSelector('[name=link][value=real]')
  })

  await t.test('a key that the provider has changed is learned', async () => {
    await upstream.rotateKeys()
    late += 60
    const page = await open()
    await toProvider(page)
    await atProvider(page, 'frank')
    await arrived(page)
    assert.equal(await signedInAs(page), 'frank@example.org')
  })

  await t.test('a provider that is away is told of in words, and signs in nobody', async () => {
    const page = await open()
    await toProvider(page, undefined, '[name=provider][value=away]')
    await page.waitForURL(/\/ui\/error/)
    await toProvider(page)
    await atProvider(page, 'gina')
    await arrived(page)
    await forget(page)
    const callback = await held(page)
    await upstream.stop()
    await page.goto(callback)
    assert.match(page.url(), /\/ui\/error/)
    assert.equal(await signedInAs(page), undefined)
    await upstream.start()
    await toProvider(page)
    await arrived(page)
  })
})
