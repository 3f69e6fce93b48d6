import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Page } from 'playwright-core'
import { launchChromium } from '../helpers/chromium.ts'
import { createPerson, PASSWORD } from '../helpers/client.ts'
import { uiServer } from '../helpers/ui.ts'

async function logIn(page: Page, root: string, email: string): Promise<void> {
  await page.goto(`${root}/self-service/login/browser`)
  await page.fill('[name=identifier]', email)
  await page.fill('[name=password]', PASSWORD)
  await page.click('[type=submit]')
  await page.waitForURL('**/ui/welcome*')
}

it('a browser from before a change of the cookie domain can sign out and in again', async (t) => {
  const browser = await launchChromium(t, ['--host-resolver-rules=MAP *.example.test 127.0.0.1'])
  if (browser === undefined) return
  const server = await uiServer(t)
  const port = new URL(server.publicUrl).port
  const root = `http://id.example.test:${port}`
  const at = (path: string) => `${root}${path}`
  const flows = ['login', 'registration', 'settings', 'error'].map((flow) => [flow, { ui_url: at(`/ui/${flow}`) }])
  await server.reconfigure({
    serve: { public: { base_url: `${root}/` } },
    selfservice: {
      default_browser_return_url: at('/ui/welcome'),
      flows: {
        ...Object.fromEntries(flows),
        logout: { after: { default_browser_return_url: at('/ui/signed-out') } },
      },
    },
  })
  const person = await createPerson(server)
  const context = await browser.newContext()
  const page = await context.newPage()
  const signedIn = async () => (await page.goto(at('/sessions/whoami')))?.status() === 200
  await logIn(page, root, person.email)
  assert.ok(await signedIn())

  await server.reconfigure({ cookies: { domain: 'example.test' } })
  assert.ok(await signedIn(), 'the cookie from before still counts')
  await page.goto(at('/logout'))
  await page.click('[type=submit]')
  await page.waitForURL('**/ui/signed-out*')
  assert.ok(!(await signedIn()))
  await logIn(page, root, person.email)
  assert.ok(await signedIn(), 'and a new one is given')
  const names = (await context.cookies(root)).map(({ name }) => name).filter((name) => name.startsWith('csrf_token_'))
  assert.equal(names.length, 1)
})
