import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Page } from 'playwright-core'
import { launchChromium } from '../helpers/chromium.ts'
import { createPerson, type Person } from '../helpers/client.ts'
import { postgres } from '../helpers/db.ts'
import { codeAt, SECOND_FACTORS } from '../helpers/second-factor.ts'
import { uiServer } from '../helpers/ui.ts'
import { inspect, LOOKS, openPage } from './page-checks.ts'

const PERIOD = 30
const seconds = () => Date.now() / 1000

it('an app and backup codes are set up and used without a script, each by its own button and by Enter', async (t) => {
  const server = await uiServer(t, { db: await postgres.open(t), config: SECOND_FACTORS })
  const browser = await launchChromium(t)
  if (!browser) return
  const person = await createPerson(server)
  const open = (page: Page, path: string) => page.goto(server.publicUrl + path)
  async function visit() {
    const watch = await openPage(browser!, server.publicUrl, LOOKS[0])
    await givePassword(watch.page, person)
    return watch
  }
  async function givePassword(page: Page, { email, password }: Person) {
    await open(page, '/self-service/login/browser')
    await page.fill('[name=identifier]', email)
    await page.fill('[name=password]', password)
    await page.click('button[value=password]')
  }

  const own = await visit()
  await open(own.page, '/self-service/settings/browser')
  await inspect(own, 'factor-settings')
  const secret = (await own.page.textContent('.field code'))!
  await own.page.fill('[name=totp_code]', codeAt(seconds() - PERIOD, secret).replace(/^(...)/, '$1 '))
  await own.page.keyboard.press('Enter')
  await own.page.waitForSelector('.success')
  await own.page.click('button[name=lookup_secret_regenerate]')
  const codes = await own.page.locator('li code').allTextContents()
  assert.equal(codes.length, 12)
  await inspect(own, 'factor-codes')
  await own.page.click('button[name=lookup_secret_confirm]')
  await own.page.waitForSelector('.success')

  const byApp = await visit()
  await byApp.page.waitForSelector('[name=totp_code]')
  await inspect(byApp, 'factor-step-up')
  assert.equal(await byApp.page.evaluate('document.activeElement.name'), 'totp_code')
  await byApp.page.fill('[name=totp_code]', '12345')
  await byApp.page.keyboard.press('Enter')
  await byApp.page.waitForSelector('.error')
  await inspect(byApp, 'factor-step-up-refused')
  await byApp.page.fill('[name=totp_code]', codeAt(seconds(), secret))
  await byApp.page.click('button[value=totp]')
  await byApp.page.waitForURL('**/ui/welcome')

  const byCode = await visit()
  await byCode.page.fill('[name=lookup_secret]', ` ${codes[3]!.toUpperCase()},`)
  await byCode.page.keyboard.press('Enter')
  await byCode.page.waitForURL('**/ui/welcome')
})
