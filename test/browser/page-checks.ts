import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { AxeResults } from 'axe-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const artifacts = fileURLToPath(new URL('../.artifacts/', import.meta.url))

export const LOOKS = [
  { name: 'desktop-light', colorScheme: 'light', viewport: { width: 1100, height: 800 } },
  { name: 'desktop-dark', colorScheme: 'dark', viewport: { width: 1100, height: 800 } },
  { name: 'phone-light', colorScheme: 'light', viewport: { width: 360, height: 740 } },
  { name: 'phone-dark', colorScheme: 'dark', viewport: { width: 360, height: 740 } },
] as const

export type Look = (typeof LOOKS)[number]

/** Everything a page must not do; checked by {@link Watch.clean}. */
export interface Watch {
  context: BrowserContext
  page: Page
  /** @throws where a page asked another server, broke its own policy or wrote an error to the console */
  clean(): void
}

/** @param script false: the browser runs no script, as some people set it */
export async function openPage(browser: Browser, origin: string, look: Look, script = true): Promise<Watch> {
  const { colorScheme, viewport } = look
  const context = await browser.newContext({ colorScheme, viewport, javaScriptEnabled: script })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    // The browser tells every 4xx of a page as an error; those are looked at by their content.
    if (message.type() === 'error' && !/status of 4\d\d|status of 503/.test(message.text()))
      complaints.push(message.text())
  })
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${origin}/`) && !url.startsWith('data:image/svg+xml')) complaints.push(`asked ${url}`)
  })
  return { context, page, clean: () => assert.deepEqual(complaints.splice(0), []) }
}

/** Takes a picture, and holds the page to what everybody needs of it. */
export async function inspect({ page, clean }: Watch, look: Look, name: string): Promise<void> {
  mkdirSync(artifacts, { recursive: true })
  await page.screenshot({ path: `${artifacts}${name}.${look.name}.png`, fullPage: true })
  clean()
  await page.evaluate(axeSource)
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help} ${nodes.map((node) => node.html).join(' | ')}`)
  assert.deepEqual(found, [], `${name} (${look.name})`)
  const content = await page.evaluate('document.documentElement.scrollWidth')
  const width = look.viewport.width
  assert.ok(Number(content) <= width, `${name} (${look.name}) is ${content} wide on a screen of ${width}`)
}
