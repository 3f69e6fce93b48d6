import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { BreachCheckUnavailable, createPwnedChecker } from '../../../src/kernel/crypto/passwords/pwned.ts'
import { exchange } from '../../../src/kernel/outbound/client.ts'

const PASSWORD = 'correct horse'
const SHA1 = createHash('sha1').update(PASSWORD).digest('hex').toUpperCase()
const [PREFIX, ENDING] = [SHA1.slice(0, 5), SHA1.slice(5)]

/** The service on a local port; only scheme and port differ from the real call. */
async function checker(t: TestContext, listener: RequestListener, ignore = false, timeoutMs = 60_000) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return createPwnedChecker({
    exchange: ({ url, ...rest }, ...more) =>
      exchange({ url: url.replace('https://pwned.test', `http://127.0.0.1:${port}`), ...rest }, ...more),
    rules: () => ({ disallowPrivateIps: false, privateIpExceptions: [] }),
    settings: () => ({ haveibeenpwned_host: 'pwned.test', ignore_network_errors: ignore }),
    timeoutMs,
  })
}

const answer =
  (text: string): RequestListener =>
  (_req, res) =>
    res.end(text)

describe('breach check', () => {
  it('sends five digits of the hash and asks for padding', async (t) => {
    const seen: unknown[] = []
    const count = await checker(t, (req, res) => {
      seen.push(req.method, req.url, req.headers['add-padding'])
      res.end('')
    })
    assert.equal(await count(PASSWORD), 0)
    assert.deepEqual(seen, ['GET', `/range/${PREFIX}`, 'true'])
  })

  for (const [name, text, expected] of [
    ['finds the line', `${'0'.repeat(35)}:3\r\n${ENDING}:42\r\n`, 42],
    ['reads lower case and thousands', `${ENDING.toLowerCase()}:1,234\n`, 1234],
    ['takes a line without a count as one', `${ENDING}\n`, 1],
    ['ignores padding', `${ENDING}:0\n`, 0],
    ['finds nothing among others', `${'0'.repeat(35)}:3\n`, 0],
  ] as const) {
    it(name, async (t) => assert.equal(await (await checker(t, answer(text)))(PASSWORD), expected))
  }

  const broken: Record<string, RequestListener> = {
    'an error status': (_req, res) => res.writeHead(500).end(`${ENDING}:42`),
    'a redirect': (_req, res) => res.writeHead(302, { location: '/elsewhere' }).end(),
    'a cut connection': (_req, res) => res.writeHead(200, { 'content-length': '100' }).write('x', () => res.destroy()),
    'an endless answer': (_req, res) => res.end('x'.repeat(1024 * 1024 + 1)),
    'a count that is no number': answer(`${ENDING}:many`),
  }
  for (const [name, listener] of Object.entries(broken)) {
    it(`${name} is an error, or nothing found if the configuration says so`, async (t) => {
      await assert.rejects((await checker(t, listener))(PASSWORD), BreachCheckUnavailable)
      assert.equal(await (await checker(t, listener, true))(PASSWORD), 0)
    })
  }

  it('gives up on a silent service', async (t) => {
    const silent: RequestListener = () => {}
    await assert.rejects((await checker(t, silent, false, 20))(PASSWORD), BreachCheckUnavailable)
  })
})
