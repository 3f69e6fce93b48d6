import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { launchChromium } from '../helpers/chromium.ts'
import { Client, createPerson, isSignedIn, PASSWORD, signIn, signInNative } from '../helpers/client.ts'
import { uiServer } from '../helpers/ui.ts'
import { LOOKS, openPage } from './page-checks.ts'

interface App {
  url: string
  /** what each visit came with */
  visits: { url: string; headers: IncomingHttpHeaders }[]
}

/** An application on another origin, where people come from and return to. */
async function otherApp(t: TestContext): Promise<App> {
  const visits: App['visits'] = []
  const server = createServer((req, res) => {
    if (req.url !== '/favicon.ico') visits.push({ url: req.url ?? '', headers: req.headers })
    res.setHeader('content-type', 'text/html').end('<!doctype html><title>app</title><h1>The app</h1>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise((resolve) => server.close(resolve)).then(() => server.closeAllConnections()))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, visits }
}

/** Goes on with the keyboard alone: Tab until the element has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    const reached = await page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`)
    if (reached) return
    await page.keyboard.press('Tab')
  }
  assert.fail(`${selector} cannot be reached with Tab`)
}

/** Sends the form of the focused element and waits for the page that the answer leads to. */
async function pressEnter(page: Page): Promise<void> {
  const loaded = page.waitForEvent('load')
  await page.keyboard.press('Enter')
  await loaded
}

async function heading(page: Page): Promise<string> {
  return (await page.textContent('h1')) ?? ''
}

async function logIn(page: Page, email: string): Promise<void> {
  await tabTo(page, '[name=identifier]')
  await page.keyboard.type(email)
  await tabTo(page, '[name=password]')
  await page.keyboard.type(PASSWORD)
  await page.keyboard.press('Enter')
}

/** Beside them stands why the last ones ended. */
const LIVE = '.sessions:not(.ended) li'

it('signing in, ending sessions and signing out need neither a script nor a mouse', async (t) => {
  const app = await otherApp(t)
  const server = await uiServer(t, { config: { selfservice: { allowed_return_urls: ['{{public}}', app.url] } } })
  const browser = await launchChromium(t)
  if (!browser) return
  const person = await createPerson(server)
  const { page, context, clean } = await openPage(browser, server.publicUrl, LOOKS[0], { script: false, also: app.url })

  await t.test('signing in leads back to the application, which is not told where from', async () => {
    const back = encodeURIComponent(`${app.url}/inside`)
    await page.goto(`${server.publicUrl}/self-service/login/browser?return_to=${back}`)
    await logIn(page, person.email)
    await page.waitForURL(`${app.url}/inside`)
    assert.equal(await heading(page), 'The app')
    assert.deepEqual(
      app.visits.map(({ url, headers }) => [url, headers.referer]),
      [['/inside', undefined]],
    )
    clean()
  })

  const phone = new Client(server)
  const laptop = new Client(server)
  await signIn(phone, person)
  await signIn(laptop, person)
  const native = await signInNative(server, person)

  await t.test('one session is ended from the account page, and only that one', async () => {
    await page.goto(`${server.publicUrl}/ui/welcome`)
    assert.equal(await page.locator(LIVE).count(), 4)
    // The newest of the others comes first: the native one.
    await tabTo(page, `${LIVE}:nth-child(2) button`)
    await pressEnter(page)
    assert.equal(await page.locator(LIVE).count(), 3)
    assert.equal(await isSignedIn(new Client(server), { 'x-session-token': native.token }), false)
    assert.deepEqual([await isSignedIn(phone), await isSignedIn(laptop)], [true, true])
  })

  await t.test('all others are ended, and this one stays', async () => {
    await tabTo(page, '.row button.main')
    await pressEnter(page)
    assert.equal(await page.locator(LIVE).count(), 1)
    assert.deepEqual([await isSignedIn(phone), await isSignedIn(laptop)], [false, false])
    clean()
  })

  await t.test('the link to sign out asks, signs out, and leads on to where it was told', async () => {
    const back = encodeURIComponent(`${app.url}/bye`)
    await page.goto(`${server.publicUrl}/logout?return_to=${back}`)
    assert.equal(await heading(page), 'Sign out?')
    assert.equal((await context.request.get(`${server.publicUrl}/sessions/whoami`)).status(), 200)
    await tabTo(page, 'button.main')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${app.url}/bye`)
    assert.equal(app.visits.at(-1)?.headers.referer, undefined)
    assert.equal((await context.request.get(`${server.publicUrl}/sessions/whoami`)).status(), 401)
    clean()
  })

  await t.test('going back shows nothing of the account', async () => {
    await page.goto(`${server.publicUrl}/self-service/login/browser`)
    await logIn(page, person.email)
    await page.waitForURL('**/ui/welcome')
    await tabTo(page, '.who button')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/ui/signed-out')
    assert.equal(await heading(page), 'You are signed out')
    await page.goBack()
    assert.equal(await heading(page), 'Sign in')
    assert.ok(!(await page.content()).includes(person.email))
  })

  await t.test('a form from before signing out is refused in plain words', async () => {
    await page.goto(`${server.publicUrl}/self-service/login/browser`)
    await logIn(page, person.email)
    await page.waitForURL('**/ui/welcome')
    const other = await context.newPage()
    await other.goto(`${server.publicUrl}/logout`)
    await page.click('.who button')
    await page.waitForURL('**/ui/signed-out')
    await page.goto(`${server.publicUrl}/self-service/login/browser`)
    await logIn(page, person.email)
    await page.waitForURL('**/ui/welcome')
    await other.click('button.main')
    await other.waitForURL('**/ui/error?id=*')
    assert.equal(await heading(other), 'Please try that again')
    assert.equal((await context.request.get(`${server.publicUrl}/sessions/whoami`)).status(), 200)
  })
})
