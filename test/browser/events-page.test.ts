import assert from 'node:assert/strict'
import { it } from 'node:test'
import { launchChromium } from '../helpers/chromium.ts'
import { createDatabase, openAt } from '../helpers/db.ts'
import { openWriter } from '../helpers/open-writer.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { inspect, LOOKS, openPage } from './page-checks.ts'

it('operators see events as they come, and send again what was given up', async (t) => {
  const browser = await launchChromium(t)
  if (!browser) return
  const receiver = await startReceiver(t)
  await receiver.answer({ status: 410 })
  const hook = { id: 'shop', url: receiver.url, secret: 'sixteen letters.', events: ['session.ended'] }
  const url = await createDatabase(t, { migrated: true })
  const server = await testServer(t, {
    db: await openAt(t, url),
    config: { lethe: { events: { page: true, webhooks: [hook] } } },
  })
  for (const work of server.deps.background) work.start()
  t.after(async () => {
    for (const work of server.deps.background) await work.stop()
  })
  const watch = await openPage(browser, server.adminUrl, LOOKS[0])
  const { page } = watch
  await page.goto(`${server.adminUrl}/admin/events/page`)
  const { session } = await signedIn(server)
  await page.waitForSelector(`#events td:text-is("${session.id}")`)
  await server.deps.sessions.revoke(session, 'logout')
  await page.waitForSelector('#events td:text-is("logout")')
  assert.equal(await page.textContent('#state'), 'Live')
  await page.waitForSelector('#deliveries td:text-is("dead")')
  await inspect(watch, 'events')
  await receiver.answer({ status: 200 })
  await page.click('#receivers button')
  await receiver.count(2)
  await page.waitForSelector('#deliveries td:text-is("dead")', { state: 'detached' })
  const writer = await openWriter(t, url, server.deps.meta.nid)
  await signedIn(server)
  await page.waitForSelector(`#log:text("held back by process ${writer.pid} (nightly \\"job\\"), open for")`)
  await page.waitForSelector('#receivers td:text-matches("^2 events, ")')
  await inspect(watch, 'events-held-back')
  await writer.commit()
  await page.waitForSelector('#log:text-matches("behind by 0 events, 0 s$")')
})
