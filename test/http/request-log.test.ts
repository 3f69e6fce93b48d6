import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type TestServer, testServer } from '../helpers/server.ts'

/** Route and client of each request line, in order. */
function requests(server: TestServer): { route: string; remote: string }[] {
  return server
    .logs()
    .split('\n')
    .filter((line) => line.includes('completed handling request'))
    .map((line) => JSON.parse(line).http_request)
}

const FORWARDED = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' }

describe('the request log', () => {
  test('leaves health checks out on the port that says so, and nothing else', async (t) => {
    const server = await testServer(t, { config: { serve: { admin: { request_log: { disable_for_health: true } } } } })
    for (const url of [server.adminUrl, server.publicUrl])
      for (const path of ['/health/alive', '/health/ready', '/sessions']) await fetch(url + path)
    await fetch(`${server.adminUrl}/admin/health/alive`)
    await fetch(`${server.adminUrl}/health/config`)
    assert.deepEqual(
      requests(server).map(({ route }) => route),
      ['/sessions', '/health/alive', '/health/ready', '/sessions', '/health/config'],
    )
  })

  test('trusts no X-Forwarded-For by default', async (t) => {
    const server = await testServer(t)
    await fetch(`${server.publicUrl}/health/alive`, { headers: FORWARDED })
    assert.deepEqual(requests(server), [{ method: 'GET', route: '/health/alive', remote: '127.0.0.1' }])
  })

  test('believes trusted proxies, up to the first address that is none of them', async (t) => {
    const of = async (proxies: string[]) => {
      const server = await testServer(t, { config: { lethe: { http: { trusted_proxies: proxies } } } })
      await fetch(`${server.publicUrl}/health/alive`, { headers: FORWARDED })
      return requests(server)[0]?.remote
    }
    assert.equal(await of(['127.0.0.0/8', '::1']), '198.51.100.7')
    assert.equal(await of(['127.0.0.1', '198.51.100.0/24']), '203.0.113.9')
    assert.equal(await of(['10.0.0.0/8']), '127.0.0.1')
  })

  test('addresses of proxies that are none are refused with the configuration', async (t) => {
    for (const wrong of ['300.1.1.1', '10.0.0.0/33', 'fd00::/129', '1', ':'])
      await assert.rejects(
        testServer(t, { config: { lethe: { http: { trusted_proxies: [wrong] } } } }),
        /trusted_proxies/,
      )
  })
})
