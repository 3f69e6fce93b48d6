import assert from 'node:assert/strict'
import { it } from 'node:test'
import { launchChromium } from '../helpers/chromium.ts'
import { Client, createPerson } from '../helpers/client.ts'
import { postgres } from '../helpers/db.ts'
import { lastCode } from '../helpers/messages.ts'
import { uiServer } from '../helpers/ui.ts'
import { inspect, LOOKS, openPage } from './page-checks.ts'

const CODE = '[name=code]'
const RESEND = 'button.later'

it('who cannot sign in gets a code, pastes it as it came, and is let in', async (t) => {
  const server = await uiServer(t, { db: await postgres.open(t), wireConfig: 'recovery' })
  const browser = await launchChromium(t)
  if (!browser) return
  const person = await createPerson(server)
  const watch = await openPage(browser, server.publicUrl, LOOKS[0])
  const { page } = watch

  await page.goto(`${server.publicUrl}/self-service/login/browser`)
  await page.click('text=Recover your account')
  assert.equal(await page.title(), 'Recover your account – Lethe')
  await inspect(watch, 'recovery')
  await page.fill('[name=email]', person.email)
  await page.click('button.main')

  const field = await page.evaluate(`(({ type, inputMode, autocomplete, maxLength, pattern }) =>
    ({ type, inputMode, autocomplete, maxLength, pattern }))(document.querySelector('${CODE}'))`)
  assert.deepEqual(field, {
    type: 'text',
    inputMode: 'numeric',
    autocomplete: 'one-time-code',
    maxLength: -1,
    pattern: '',
  })
  assert.equal(await page.locator(CODE).count(), 1)
  assert.match((await page.textContent('main')) ?? '', /After half a minute another one can be sent/)
  assert.equal(await page.isVisible(RESEND), false, 'another code is offered at once')
  await inspect(watch, 'recovery-code')
  await page.evaluate('document.getAnimations().forEach((animation) => animation.finish())')
  assert.equal(await page.isVisible(RESEND), true, 'another code is never offered')

  const first = await lastCode(server, person.email, 'recovery_code')
  await page.click(RESEND)
  const second = await lastCode(server, person.email, 'recovery_code')
  assert.notEqual(second, first)

  await page.fill(CODE, first)
  await page.keyboard.press('Enter')
  assert.match((await page.textContent('[role=alert]')) ?? '', /./)
  assert.equal(await page.isVisible('button[name=email]'), true, 'after a wrong code nobody has to wait')
  await inspect(watch, 'recovery-refused')

  await page.fill(CODE, `Code: ${second.slice(0, 3)} ${second.slice(3)}`)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/ui/settings?flow=*')
  await inspect(watch, 'recovery-settings')
})

it('an address is confirmed by a code, also without scripts', async (t) => {
  const server = await uiServer(t, { db: await postgres.open(t), wireConfig: 'recovery' })
  const browser = await launchChromium(t)
  if (!browser) return
  const person = await createPerson(server)
  const watch = await openPage(browser, server.publicUrl, LOOKS[3], { script: false })
  const { page } = watch
  await page.goto(`${server.publicUrl}/self-service/verification/browser`)
  await page.fill('[name=email]', person.email)
  await page.click('button.main')
  assert.equal(await page.title(), 'Confirm your address – Lethe')
  await page.fill(CODE, await lastCode(server, person.email, 'verification_code'))
  await page.keyboard.press('Enter')
  assert.match((await page.textContent('.box.success')) ?? '', /verified/)
  watch.clean()
})

it('who has several addresses picks one, half hidden, and goes back from there', async (t) => {
  const words = { smtp: '127.0.0.1:9', hook: 'http://127.0.0.1:9' }
  const server = await uiServer(t, { db: await postgres.open(t), wireConfig: 'recovery-choose', words })
  const browser = await launchChromium(t)
  if (!browser) return
  const traits = { email: 'ada@example.com', backup: 'countess@example.com' }
  const json = { schema_id: 'two', traits }
  assert.equal((await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, { json })).status, 201)
  const watch = await openPage(browser, server.publicUrl, LOOKS[0])
  const { page } = watch
  await page.goto(`${server.publicUrl}/self-service/recovery/browser`)
  await page.fill('[name=recovery_address]', traits.email)
  await page.click('button.main')
  await inspect(watch, 'recovery-choice')
  await page.click('text=co****@example.com')
  await inspect(watch, 'recovery-confirm')
  await page.click('button[name=screen]')
  await page.click('text=co****@example.com')
  await page.fill('[name=recovery_confirm_address]', traits.backup)
  await page.click('button.main')
  await inspect(watch, 'recovery-choice-code')
  await page.fill(CODE, await lastCode(server, traits.backup, 'recovery_code'))
  await page.keyboard.press('Enter')
  await page.waitForURL('**/ui/settings?flow=*')
})

it('somebody signs up with a code, and in again with another one, without scripts', async (t) => {
  const server = await uiServer(t, { db: await postgres.open(t), wireConfig: 'code-passwordless' })
  const browser = await launchChromium(t)
  if (!browser) return
  const watch = await openPage(browser, server.publicUrl, LOOKS[3], { script: false })
  const { page } = watch
  const email = 'ada@example.com'
  await page.goto(`${server.publicUrl}/self-service/registration/browser`)
  await page.fill('[name="traits.email"]', email)
  await page.click('button.main')
  // The button needs no password, although the form has a field for one.
  await page.click('text=Send sign up code')
  assert.equal(await page.getAttribute(CODE, 'autocomplete'), 'one-time-code')
  await page.fill(CODE, await lastCode(server, email, 'registration_code'))
  await page.keyboard.press('Enter')
  await page.waitForURL('**/ui/welcome')

  await page.context().clearCookies()
  await page.goto(`${server.publicUrl}/self-service/login/browser`)
  assert.equal(await page.getAttribute('button.main', 'value'), 'password', 'Enter in that field sends no code')
  await page.fill('[name=identifier]', email)
  await page.click('text=Send sign in code')
  const field =
    await page.evaluate(`(({ inputMode, autocomplete, maxLength }) => ({ inputMode, autocomplete, maxLength }))(
    document.querySelector('${CODE}'))`)
  assert.deepEqual(field, { inputMode: 'numeric', autocomplete: 'one-time-code', maxLength: -1 })
  const code = await lastCode(server, email, 'login_code')
  await page.fill(CODE, code === '000000' ? '000001' : '000000')
  await page.keyboard.press('Enter')
  assert.match((await page.textContent('[role=alert]')) ?? '', /invalid/)
  await page.fill(CODE, code)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/ui/welcome')
  watch.clean()
})
