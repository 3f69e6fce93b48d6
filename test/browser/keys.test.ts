import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Page } from 'playwright-core'
import { launchChromium } from '../helpers/chromium.ts'
import { Client, createPerson, type Person } from '../helpers/client.ts'
import { postgres } from '../helpers/db.ts'
import { FACTORS } from '../helpers/live-factors.ts'
import { uiServer } from '../helpers/ui.ts'
import { virtualKey } from '../helpers/virtual-key.ts'
import { inspect, LOOKS, openPage } from './page-checks.ts'

const schema = Buffer.from(JSON.stringify(FACTORS.config.identity.schemas[0]!.json)).toString('base64')
const rp = (id: string, origin: string) => ({ id, display_name: 'Example', origins: [origin] })
const keysFor = (party: object) => ({
  selfservice: {
    methods: {
      webauthn: { enabled: true, config: { passwordless: false, rp: party } },
      passkey: { enabled: true, config: { rp: party } },
    },
  },
})
const OWN = keysFor(rp('localhost', '{{public}}'))
const IDENTITY = { identity: { schemas: [{ id: 'default', url: `base64://${schema}` }] } }
const STEP_UP = 'button[name=webauthn_login_trigger]'
const PASSKEY = 'button[name=passkey_login_trigger]'
/** The browser offers no passkeys by itself; one of the virtual device is taken as soon as it is offered. */
const NO_OFFER = 'delete PublicKeyCredential.isConditionalMediationAvailable'
const SAID = '[data-webauthn-error]:not(:empty)'

it('keys are set up and used on the built-in pages, whose policy allows no script but one', async (t) => {
  const config = { ...OWN, ...IDENTITY }
  const server = await uiServer(t, { db: await postgres.open(t), host: 'localhost', config })
  const browser = await launchChromium(t)
  if (!browser) return

  const open = (page: Page, path: string) => page.goto(server.publicUrl + path)
  async function visit(device: Parameters<typeof virtualKey>[1] = {}) {
    const watch = await openPage(browser!, server.publicUrl, LOOKS[0])
    t.after(() => watch.context.close())
    return { ...watch, device: await virtualKey(watch.page, device) }
  }
  async function givePassword(page: Page, { email, password }: Person) {
    await open(page, '/self-service/login/browser')
    await page.fill('[name=identifier]', email)
    await page.fill('[name=password]', password)
    await page.click('button[value=password]')
  }
  const arrived = (page: Page) => page.waitForURL('**/ui/welcome')
  const sessionOn = async (page: Page): Promise<any> => {
    const reply = await page.context().request.get(`${server.publicUrl}/sessions/whoami`)
    return reply.json()
  }
  const keysOf = async ({ identityId }: Person, type: string) => {
    const url = `${server.adminUrl}/admin/identities/${identityId}?include_credential=${type}`
    return (await new Client(server).get(url)).body.credentials[type].config.credentials
  }
  async function addSecurityKey(page: Page, name: string) {
    await open(page, '/self-service/settings/browser')
    await page.fill('[name=webauthn_register_displayname]', name)
    await page.keyboard.press('Enter')
    await page.waitForSelector('.success')
  }
  async function addPasskey(page: Page) {
    await open(page, '/self-service/settings/browser')
    await page.click('button[name=passkey_register_trigger]')
    await page.waitForSelector('.success')
  }
  /** The last of the keys. It is removed only after a word of what is left. */
  async function remove(page: Page, button: string) {
    await open(page, '/self-service/settings/browser')
    const last = page.locator('details', { has: page.locator(`button[name=${button}]`) }).last()
    await last.locator('summary').click()
    assert.match((await last.textContent())!, /cannot be brought back/)
    await last.locator('button').click()
    await page.waitForSelector('.success')
  }
  async function signOut(page: Page) {
    await open(page, '/logout')
    await page.click('button')
    await page.waitForURL('**/ui/signed-out')
  }

  await t.test('a security key: set up, asked for at the next sign-in, and nobody gets in without it', async () => {
    const person = await createPerson(server)
    const own = await visit()
    await givePassword(own.page, person)
    await addSecurityKey(own.page, 'blue')
    await open(own.page, '/self-service/settings/browser')
    await own.page.fill('[name=webauthn_register_displayname]', 'blue again')
    await own.page.keyboard.press('Enter')
    assert.match((await own.page.textContent(SAID))!, /has a key for this account already/)
    const [blue] = await own.device.keys()
    await own.device.putAway()
    await virtualKey(own.page, { verifiesUser: true })
    await addSecurityKey(own.page, 'red')
    assert.deepEqual(
      (await keysOf(person, 'webauthn')).map(({ display_name, flags }: any) => [display_name, flags.user_verified]),
      [
        ['blue', false],
        ['red', true],
      ],
      'it is not asked for, and noted',
    )
    await inspect(own, 'keys-settings')
    assert.equal((await sessionOn(own.page)).authenticator_assurance_level, 'aal2')

    const other = await visit()
    await givePassword(other.page, person)
    await other.page.waitForSelector(STEP_UP)
    assert.doesNotMatch((await other.page.textContent('main'))!, /not offered here/)
    await inspect(other, 'keys-step-up')
    await other.page.click(STEP_UP)
    assert.match((await other.page.textContent(SAID))!, /no key fits/)
    await inspect(other, 'keys-step-up-no-key')
    assert.equal((await sessionOn(other.page)).error.id, 'session_aal2_required')
    await other.device.add(blue!)
    await other.page.click(STEP_UP)
    await arrived(other.page)
    assert.equal((await sessionOn(other.page)).authenticator_assurance_level, 'aal2')

    await remove(own.page, 'webauthn_remove')
    assert.equal((await keysOf(person, 'webauthn')).length, 1)
  })

  await t.test('a key whose counter falls lets its owner in, and is noted', async () => {
    const person = await createPerson(server)
    const own = await visit()
    await givePassword(own.page, person)
    await addSecurityKey(own.page, 'blue')
    const [key] = await own.device.keys()
    await own.device.clear()
    await own.device.add({ ...key!, signCount: 7 })
    for (const [copy, count, warning] of [
      [{ ...key!, signCount: 7 }, 8, false],
      [{ ...key!, signCount: 2 }, 8, true],
    ] as const) {
      const visitor = await visit()
      await visitor.device.add(copy)
      await givePassword(visitor.page, person)
      await visitor.page.click(STEP_UP)
      await arrived(visitor.page)
      const [{ authenticator }] = await keysOf(person, 'webauthn')
      assert.deepEqual([authenticator.sign_count, authenticator.clone_warning], [count, warning])
    }
    assert.match(server.logs(), /the counter of a key did not rise/)
  })

  await t.test('a passkey: set up, then offered by the browser, and used by the button', async () => {
    const person = await createPerson(server)
    const own = await visit({ passkeys: true })
    await givePassword(own.page, person)
    await addPasskey(own.page)
    await inspect(own, 'passkey-settings')
    assert.equal((await keysOf(person, 'passkey'))[0].flags.user_verified, true)
    const [key] = await own.device.keys()
    assert.deepEqual([key!.userName, key!.userDisplayName], [person.email, person.email])

    await signOut(own.page)
    await open(own.page, '/self-service/login/browser')
    await arrived(own.page)
    assert.equal((await sessionOn(own.page)).identity.id, person.identityId)

    await signOut(own.page)
    await own.page.addInitScript(NO_OFFER)
    await open(own.page, '/self-service/login/browser')
    await inspect(own, 'passkey-login')
    await own.page.click(PASSKEY)
    await arrived(own.page)
    const methods = (await sessionOn(own.page)).authentication_methods
    assert.deepEqual(
      methods.map(({ method, aal }: any) => [method, aal]),
      [['passkey', 'aal1']],
    )
  })

  await t.test('an account made with a passkey alone, which its device shows by name', async () => {
    const own = await visit({ passkeys: true })
    const email = `new-${Date.now()}@example.com`
    await open(own.page, '/self-service/registration/browser')
    await own.page.fill('[name="traits.email"]', email)
    await inspect(own, 'passkey-registration')
    await own.page.click('button[name=passkey_register_trigger]')
    await own.page.waitForSelector('main')
    await own.page.waitForURL((url) => !url.pathname.includes('registration'))
    const [key] = await own.device.keys()
    assert.equal(key!.userName, email)
    await own.context.clearCookies()
    await open(own.page, '/self-service/login/browser')
    await arrived(own.page)
    assert.equal((await sessionOn(own.page)).identity.traits.email, email)
  })

  await t.test('the button waits until the offer of the browser is gone, and nobody is told of that', async () => {
    const own = await visit({ passkeys: true })
    // As on some phones: a request that was aborted ends late, and the next one is refused for a moment even then.
    await own.page.addInitScript(`{
      let pending = false, refusals = 1
      const buffer = (text) => new TextEncoder().encode(text).buffer
      navigator.credentials.get = ({ mediation, signal }) => {
        if (mediation === 'conditional') {
          pending = true
          return new Promise((_, reject) => signal.addEventListener('abort', () =>
            setTimeout(() => { pending = false; reject(new DOMException('aborted', 'AbortError')) }, 50)))
        }
        if (pending || refusals-- > 0) return Promise.reject(new DOMException('A request is already pending.', 'NotAllowedError'))
        const response = { authenticatorData: buffer('a'), clientDataJSON: buffer('c'), signature: buffer('s') }
        return Promise.resolve({ id: 'AA', rawId: buffer('r'), type: 'public-key', response })
      }
      PublicKeyCredential.isConditionalMediationAvailable = async () => true
    }`)
    await open(own.page, '/self-service/login/browser')
    await own.page.waitForFunction('window.abortPasskeyConditionalUI')
    const sent = own.page.waitForRequest((request) => request.method() === 'POST')
    await own.page.click(PASSKEY)
    assert.match((await sent).postData()!, /passkey_login=%7B%22id%22%3A%22AA/)
    assert.equal(await own.page.locator(SAID).count(), 0)
  })

  await t.test('a device is told of a passkey that was removed', async () => {
    const person = await createPerson(server)
    const own = await visit({ passkeys: true })
    await own.page.addInitScript(`{
      window.told = []
      PublicKeyCredential.signalUnknownCredential = async (one) => { window.told.push(one) }
    }`)
    await givePassword(own.page, person)
    await addPasskey(own.page)
    const [key] = await own.device.keys()
    assert.deepEqual(
      (await keysOf(person, 'passkey')).map(({ display_name }: any) => display_name),
      ['Chrome on Linux'],
    )
    await remove(own.page, 'passkey_remove')
    const credentialId = key!.credentialId.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
    await own.page.waitForFunction('window.told.length > 0')
    assert.deepEqual(await own.page.evaluate('window.told'), [{ rpId: 'localhost', credentialId }], 'at once')
    await signOut(own.page)
    await own.page.addInitScript(NO_OFFER)
    await open(own.page, '/self-service/login/browser')
    assert.deepEqual(await own.page.evaluate('window.told'), [])
    await own.page.click(PASSKEY)
    await own.page.waitForSelector('.box.error')
    await own.page.waitForFunction('window.told.length > 0')
    assert.deepEqual(await own.page.evaluate('window.told'), [{ rpId: 'localhost', credentialId }])
  })

  await t.test('a page at another place than the one that keys are for says so', async () => {
    const person = await createPerson(server)
    const own = await visit({ passkeys: true })
    await givePassword(own.page, person)
    await addPasskey(own.page)
    await signOut(own.page)

    await own.page.addInitScript(NO_OFFER)
    await server.reconfigure(keysFor(rp('localhost', 'https://login.example.org')))
    await open(own.page, '/self-service/login/browser')
    await own.page.click(PASSKEY)
    await own.page.waitForSelector('.box.error')
    assert.equal((await sessionOn(own.page)).error.code, 401)

    await server.reconfigure(keysFor(rp('example.org', '{{public}}')))
    await open(own.page, '/self-service/login/browser')
    await own.page.click(PASSKEY)
    assert.match((await own.page.textContent(SAID))!, /Keys do not work at this address. \(SecurityError\)/)
    await server.reconfigure(OWN)
  })
})
