import type { Texts } from '../texts.ts'

/** In this order: nearly every browser also names older ones. */
const BROWSERS: [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\/|\bOPiOS\/|\bOPT\/|\bOpera\b/, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bYaBrowser\//, 'Yandex Browser'],
  [/\bDuckDuckGo\/|\bDdg\//, 'DuckDuckGo'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\b(?:Headless)?Chrome\/|\bCriOS\//, 'Chrome'],
  [/\bChromium\//, 'Chromium'],
  [/\bVersion\/[\d.]+.*\bSafari\//, 'Safari'],
  [/\bMSIE |\bTrident\//, 'Internet Explorer'],
]

const SYSTEMS: [RegExp, string][] = [
  [/\biPhone\b|\biPod\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac ?OS\b|\bMacintosh\b|\bDarwin\b/, 'macOS'],
  [/\bTizen\b|\bWeb0S\b|\bSmart-?TV\b/i, 'TV'],
  [/\bFreeBSD\b|\bOpenBSD\b/, 'BSD'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
]

/** The longest that is stored; rows of another program may hold more. */
const MAX_LENGTH = 512

/** The name of a program that is no browser: `curl/8.5.0` is curl. */
const PRODUCT = /^([A-Za-z][\w .-]{0,39}?)(?:\/|\s|$)/

/** A device in words, from its user agent: `Chrome on Linux`. Guesses, for recognition only. */
export function deviceWords(whole: string, t: Texts): string {
  const userAgent = whole.slice(0, MAX_LENGTH)
  const browser = nameIn(BROWSERS, userAgent) ?? product(userAgent)
  const system = nameIn(SYSTEMS, userAgent)
  if (browser !== undefined && system !== undefined) return t.get('device.browserOn', { browser, system })
  return browser ?? system ?? t.get('device.unknown')
}

function product(userAgent: string): string | undefined {
  const name = PRODUCT.exec(userAgent)?.[1]
  return name === 'Mozilla' ? undefined : name
}

function nameIn(table: [RegExp, string][], userAgent: string): string | undefined {
  return table.find(([pattern]) => pattern.test(userAgent))?.[1]
}

/** Without the port that the peer happened to use. */
export function addressWords(address: string): string {
  const v6 = /^\[([0-9a-f:.]+)\](?::\d+)?$/i.exec(address)
  return v6?.[1] ?? address.replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1')
}
