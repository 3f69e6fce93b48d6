import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Page } from 'playwright-core'
import { type Db, StoreUnavailable } from '../../src/kernel/db/client.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { Client, createPerson, PASSWORD, type Person, signIn, signInNative } from '../helpers/client.ts'
import { postgres } from '../helpers/db.ts'
import type { TestServer } from '../helpers/server.ts'
import { uiServer } from '../helpers/ui.ts'
import { inspect, LOOKS, openPage } from './page-checks.ts'

const AGENTS = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
]

it('every page can be read and used by everybody', async (t) => {
  const db = await postgres.open(t)
  let away = false
  const query: Db['query'] = (...args) =>
    away ? Promise.reject(new StoreUnavailable('no connection')) : db.query(...args)
  const server = await uiServer(t, { db: { ...db, query } })
  const browser = await launchChromium(t)
  if (!browser) return

  const person = await createPerson(server, { name: { first: 'Ann', last: 'Ögel' } })
  const watch = await openPage(browser, server.publicUrl, LOOKS[0])
  const { page } = watch
  const see = (name: string) => inspect(watch, name)
  const open = (path: string) => page.goto(server.publicUrl + path)
  const textOf = async (selector: string) => (await page.textContent(selector)) ?? ''

  await t.test('signing in', async () => {
    await open('/ui/login')
    assert.equal(await page.title(), 'Sign in – Lethe')
    await see('login')
    await fillLogin(page, person.email, 'not the password')
    assert.equal(await page.title(), 'Error: Sign in – Lethe')
    assert.match(await textOf('[role=alert]'), /did not match/)
    await see('login-refused')
    await open('/logout')
    assert.match(await textOf('h1'), /You are signed out/)
    await see('logout-signed-out')
  })

  await t.test('creating an account', async () => {
    await open('/ui/registration')
    await see('registration')
    await page.fill('[name="traits.email"]', `new-${person.email}`)
    await page.fill('[name=password]', 'short')
    await page.click('button.main')
    const described = await page.getAttribute('[name=password]', 'aria-describedby')
    assert.match(await textOf(`#${described}`), /./)
    assert.equal(await page.getAttribute('[name=password]', 'aria-invalid'), 'true')
    await see('registration-refused')
  })

  await t.test('creating an account in two steps', async () => {
    await server.reconfigure({ selfservice: { flows: { registration: { style: 'profile_first' } } } })
    await open('/ui/registration')
    await see('registration-profile')
    await page.fill('[name="traits.email"]', `two-${person.email}`)
    await page.click('button.main')
    assert.match(await textOf('h1'), /Choose a password/)
    assert.equal(await page.inputValue('[name="traits.email"]'), `two-${person.email}`)
    await see('registration-password')
    await page.click('[name=screen]')
    assert.match(await textOf('h1'), /Create an account/)
    await page.click('button.main')
    await page.fill('[name=password]', PASSWORD)
    await page.click('button.main')
    await page.waitForURL('**/ui/welcome')
    assert.ok((await textOf('.who')).includes(`two-${person.email}`))
    await page.click('.who button')
    await page.waitForURL('**/ui/signed-out')
  })

  await t.test('the account', async () => {
    await open('/ui/login')
    await fillLogin(page, person.email, PASSWORD)
    await see('welcome-alone')
    await signInElsewhere(server, person)
    await open('/ui/welcome')
    assert.deepEqual((await page.locator('.sessions h3').allTextContents()).map((text) => text.trim()).sort(), [
      'Chrome on Linux This device',
      'Firefox on Windows',
      'Safari on iPhone',
      'node',
    ])
    await see('welcome')
    await page.click('.sessions button >> nth=0')
    await page.waitForURL('**/ui/welcome')
    assert.match(await textOf('h2 >> nth=1'), /Earlier sessions/)
    assert.match(await textOf('.sessions >> nth=1'), /Why\s*signed out/)
    await see('welcome-earlier')
    await open('/self-service/login/browser?refresh=true')
    await see('login-refresh')
    await open('/ui/settings')
    await see('settings')
    await page.fill('[name=password]', 'short')
    await page.click('form:has([name=password]) button')
    assert.match(await textOf('.hint.error'), /./)
    await see('settings-refused')
    await page.fill('[name=password]', `${PASSWORD}-new`)
    await page.click('form:has([name=password]) button')
    assert.match(await textOf('.box.success'), /saved/)
    await see('settings-saved')
  })

  await t.test('signing out', async () => {
    await open('/ui/signed-out')
    assert.match(await textOf('h1'), /still signed in/)
    await see('still-signed-in')
    await open('/logout?return_to=https://elsewhere.example/')
    await see('logout')
    await page.click('button.main')
    assert.match(await textOf('h1'), /You are signed out/)
    await see('signed-out')
  })

  await t.test('being signed out by an operator', async () => {
    await open('/ui/login')
    await fillLogin(page, person.email, `${PASSWORD}-new`)
    await page.waitForURL('**/ui/welcome')
    const admin = new Client(server)
    const { body } = await admin.get(`${server.adminUrl}/admin/identities/${person.identityId}/sessions?active=true`)
    for (const { id } of body) await admin.send('DELETE', `${server.adminUrl}/admin/sessions/${id}`)
    await open('/ui/welcome')
    assert.match(await textOf('[role=status]'), /signed out by those who run this service/)
    await see('login-ended')
    await page.reload()
    assert.equal(await page.locator('[role=status]').count(), 0)
  })

  await t.test('errors', async () => {
    await open('/self-service/login/browser?return_to=https://elsewhere.example/')
    assert.match(await textOf('h1'), /address is not allowed/)
    await see('error-return-to')
    await open('/ui/error?id=stub:500')
    await see('error-500')
    await open('/ui/error?id=00000000-0000-4000-8000-000000000000')
    await see('error-unknown')
    await watch.context.clearCookies()
    await open('/ui/login')
    const form = page.url()
    await watch.context.clearCookies()
    await page.goto(form)
    assert.match(await textOf('h1'), /no cookie/)
    await see('error-cookies')
    away = true
    await open('/self-service/login/browser')
    assert.match(await textOf('h1'), /right back/)
    await see('error-503')
  })
})

async function fillLogin(page: Page, identifier: string, password: string): Promise<void> {
  await page.fill('[name=identifier]', identifier)
  await page.fill('[name=password]', password)
  await page.click('button.main')
}

async function signInElsewhere(server: TestServer, person: Person): Promise<void> {
  for (const agent of AGENTS) {
    const client = new Client(server)
    const send = client.send.bind(client)
    client.send = (method, target, options = {}) =>
      send(method, target, { ...options, headers: { ...options.headers, 'user-agent': agent } })
    await signIn(client, person)
  }
  await signInNative(server, person)
}
