import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createTexts } from '../../../src/ui/texts.ts'
import { addressWords, deviceWords } from '../../../src/ui/views/device-words.ts'

const AGENTS: Record<string, string> = {
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36':
    'Chrome on Linux',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36':
    'Chrome on Linux',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0':
    'Edge on Windows',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0':
    'Opera on Windows',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0': 'Firefox on Windows',
  'Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0': 'Firefox on Android',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36':
    'Chrome on Android',
  'Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36':
    'Samsung Internet on Android',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Mobile/15E148 Safari/604.1':
    'Safari on iPhone',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0.0.0 Mobile/15E148 Safari/604.1':
    'Chrome on iPhone',
  'Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15':
    'Firefox on iPad',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Safari/605.1.15':
    'Safari on macOS',
  'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36':
    'Chrome on ChromeOS',
  'curl/8.5.0': 'curl',
  'okhttp/4.12.0': 'okhttp',
  'Acme/2.1 (com.acme.app; build:7; iOS 18.2) Alamofire/5.9': 'Acme',
  'Acme/7 CFNetwork/1568.200.51 Darwin/24.1.0': 'Acme on macOS',
  'python-requests/2.32.3': 'python-requests',
  'Mozilla/5.0': 'Unknown device',
  '': 'Unknown device',
  '<script>alert(1)</script>': 'Unknown device',
}

describe('deviceWords', () => {
  const t = createTexts({})
  for (const [agent, words] of Object.entries(AGENTS)) {
    it(`${words}: ${agent.slice(-60)}`, () => assert.equal(deviceWords(agent, t), words))
  }
  it('takes the order of words from the texts', () => {
    const german = createTexts({ 'device.browserOn': '{system} mit {browser}' })
    assert.equal(deviceWords('X Firefox/1 Windows', german), 'Windows mit Firefox')
  })
  it('is quick on long nonsense', () => {
    assert.equal(deviceWords('Version/1'.repeat(60), t), 'Version')
  })
})

describe('addressWords', () => {
  for (const [address, words] of Object.entries({
    '127.0.0.1:54321': '127.0.0.1',
    '203.0.113.7': '203.0.113.7',
    '[2001:db8::1]:443': '2001:db8::1',
    '2001:db8::1': '2001:db8::1',
    'a.proxy.example': 'a.proxy.example',
  })) {
    it(address, () => assert.equal(addressWords(address), words))
  }
})
