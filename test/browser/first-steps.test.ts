import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { parse } from 'yaml'
import { launchChromium } from '../helpers/chromium.ts'
import { postgres } from '../helpers/db.ts'
import { testServer } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'
import { LOOKS, openPage } from './page-checks.ts'

/** The configuration of `npm start`, on ports that are free. */
function shipped() {
  const file = parse(readFileSync(new URL('../../kratos.yaml', import.meta.url), 'utf8'))
  const text = JSON.stringify(file).replaceAll(/http:\/\/(127\.0\.0\.1|localhost):4433/g, '{{public}}')
  const { dsn: _, serve, ...rest } = JSON.parse(text)
  return { ...rest, serve: { public: { base_url: serve.public.base_url }, admin: { base_url: '{{admin}}' } } }
}

const EMAIL = 'ada@example.org'
const [OLD, NEW] = ['a-quiet-Harbour-92', 'another-Harbour-31']

it('as it starts: a newcomer proves the address, forgets the password, comes back, and is signed out elsewhere', async (t) => {
  const server = await testServer(t, { db: await postgres.open(t), base: shipped(), dev: true })
  const browser = await launchChromium(t)
  if (!browser) return
  const open = async () => (await openPage(browser, server.publicUrl, LOOKS[0], { also: server.adminUrl })).page
  const mailbox = await open()

  /** The code of the newest message, from the page that shows it. */
  async function newestCode(messages: number): Promise<string> {
    await until(async () => {
      await mailbox.goto(`${server.adminUrl}/courier/mailbox`)
      return (await mailbox.locator('article').count()) >= messages
    })
    return /\b\d{6}\b/.exec((await mailbox.locator('article').first().textContent()) ?? '')![0]
  }
  async function signIn(page: Awaited<ReturnType<typeof open>>, password: string) {
    await page.goto(`${server.publicUrl}/self-service/login/browser`)
    await page.fill('[name=identifier]', EMAIL)
    await page.fill('[name=password]', password)
    await page.click('button.main')
  }
  const isSignedIn = async (page: Awaited<ReturnType<typeof open>>) =>
    (await page.context().request.get(`${server.publicUrl}/sessions/whoami`)).status() === 200

  const laptop = await open()
  await laptop.goto(`${server.publicUrl}/self-service/registration/browser`)
  await laptop.fill('[name="traits.email"]', EMAIL)
  await laptop.fill('[name=password]', OLD)
  await laptop.click('button.main')
  await laptop.waitForURL('**/ui/verification?flow=*')
  await laptop.fill('[name=code]', await newestCode(1))
  await laptop.keyboard.press('Enter')
  await laptop.click('text=Continue')
  await laptop.waitForURL('**/ui/welcome')
  const whoami = await laptop.context().request.get(`${server.publicUrl}/sessions/whoami`)
  assert.equal((await whoami.json()).identity.verifiable_addresses[0].verified, true)

  const library = await open()
  await signIn(library, OLD)
  assert.equal(await isSignedIn(library), true)

  const phone = await open()
  await signIn(phone, 'forgotten-since-long')
  await phone.click('text=Recover your account')
  await phone.fill('[name=email]', EMAIL)
  await phone.click('button.main')
  await phone.fill('[name=code]', await newestCode(2))
  await phone.keyboard.press('Enter')
  await phone.waitForURL('**/ui/settings?flow=*')
  await phone.fill('[name=password]', NEW)
  await phone.keyboard.press('Enter')
  await phone.waitForSelector('.box.success')

  assert.deepEqual(await Promise.all([laptop, library, phone].map(isSignedIn)), [false, false, true])
  await signIn(library, OLD)
  assert.equal(await isSignedIn(library), false, 'the forgotten password still signs in')
  await signIn(library, NEW)
  assert.equal(await isSignedIn(library), true)
})
