import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { AxeResults } from 'axe-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const artifacts = fileURLToPath(new URL('../.artifacts/', import.meta.url))

const DESKTOP = { width: 1100, height: 800 }
const PHONE = { width: 360, height: 740 }

/** Contrast hangs on the colours and layout on the width, so that axe finds in two of the four what there is. */
export const LOOKS = [
  { name: 'desktop-light', colorScheme: 'light', viewport: DESKTOP, axe: true },
  { name: 'desktop-dark', colorScheme: 'dark', viewport: DESKTOP, axe: false },
  { name: 'phone-light', colorScheme: 'light', viewport: PHONE, axe: false },
  { name: 'phone-dark', colorScheme: 'dark', viewport: PHONE, axe: true },
] as const

export type Look = (typeof LOOKS)[number]

/** Everything a page must not do; checked by {@link Watch.clean}. */
export interface Watch {
  context: BrowserContext
  page: Page
  /** @throws where a page asked another server, broke its own policy or wrote an error to the console */
  clean(): void
}

export interface OpenOptions {
  /** false: the browser runs no script, as some people set it */
  script?: boolean
  /** another origin that the page may lead to */
  also?: string
}

export async function openPage(
  browser: Browser,
  origin: string,
  { colorScheme, viewport }: Look,
  { script = true, also = origin }: OpenOptions = {},
): Promise<Watch> {
  const context = await browser.newContext({ colorScheme, viewport, javaScriptEnabled: script })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    // The browser tells every 4xx of a page as an error; those are looked at by their content.
    if (message.type() === 'error' && !/status of (4\d\d|503)/.test(message.text())) complaints.push(message.text())
  })
  page.on('request', (request) => {
    const url = request.url()
    const own = [`${origin}/`, `${also}/`, 'data:image/svg+xml'].some((start) => url.startsWith(start))
    if (!own) complaints.push(`asked ${url}`)
  })
  return { context, page, clean: () => assert.deepEqual(complaints.splice(0), []) }
}

/** Takes a picture in every look, and holds the page to what everybody needs of it. */
export async function inspect({ page, clean }: Watch, name: string): Promise<void> {
  mkdirSync(artifacts, { recursive: true })
  clean()
  await page.evaluate(axeSource)
  for (const look of LOOKS) {
    await page.emulateMedia({ colorScheme: look.colorScheme })
    await page.setViewportSize(look.viewport)
    await page.screenshot({ path: `${artifacts}${name}.${look.name}.png`, fullPage: true })
    const content = await page.evaluate('document.documentElement.scrollWidth')
    const { width } = look.viewport
    assert.ok(Number(content) <= width, `${name} (${look.name}) is ${content} wide on a screen of ${width}`)
    if (!look.axe) continue
    const { violations } = (await page.evaluate('axe.run()')) as AxeResults
    const found = violations.map(({ id, help, nodes }) => `${id}: ${help} ${nodes.map(({ html }) => html).join(' | ')}`)
    assert.deepEqual(found, [], `${name} (${look.name})`)
  }
}
