import { existsSync } from 'node:fs'
import { arch, platform } from 'node:os'
import type { TestContext } from 'node:test'
import { type Browser, chromium } from 'playwright-core'
import type { Scope } from './db.ts'

const SYSTEM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Nothing but what the test asks for goes out, and it works for root in a container. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A Chromium: the system's, or the one in the package @sparticuz/chromium (Linux on x64); undefined without any. */
async function findChromium(): Promise<string | undefined> {
  const system = process.env.CHROMIUM ?? SYSTEM.find((path) => existsSync(path))
  if (system !== undefined) return system
  if (platform() !== 'linux' || arch() !== 'x64') return undefined
  const packed = await import('@sparticuz/chromium').catch(() => undefined)
  return packed?.default.executablePath()
}

/**
 * Starts a real browser, closed when the scope ends. Without one the test is skipped, loudly; in CI it fails, since a
 * test that never runs holds nothing.
 */
export async function launchChromium(
  t: Scope & Pick<TestContext, 'skip'>,
  flags: readonly string[] = [],
): Promise<Browser | undefined> {
  const executablePath = await findChromium()
  if (executablePath === undefined) {
    const words = 'no Chromium: install one (Debian: apt-get install chromium) or set CHROMIUM to its path'
    if (process.env.CI) throw new Error(words)
    console.error(`SKIPPED: ${words}`)
    t.skip(words)
    return undefined
  }
  const browser = await chromium.launch({ executablePath, args: [...FLAGS, ...flags] })
  t.after(() => browser.close())
  return browser
}
