import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test } from 'node:test'
import { postgres } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'

/** Route and client of each request line, in order. */
function requests(
  server: TestServer,
  message = 'completed handling request',
): { method: string; route: string; remote: string }[] {
  return server
    .logs()
    .split('\n')
    .filter((line) => line.includes(message))
    .map((line) => JSON.parse(line).http_request)
}

const gone = (server: TestServer) => requests(server, 'the connection closed before the answer was complete')

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

  test('a proxy is heard behind thousands of headers of its client', async (t) => {
    const server = await testServer(t, { config: { lethe: { http: { trusted_proxies: ['127.0.0.1'] } } } })
    const many = Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`a${i}`, 'x']))
    assert.equal((await fetch(`${server.publicUrl}/health/alive`, { headers: { ...many, ...FORWARDED } })).status, 200)
    assert.equal(requests(server)[0]?.remote, '198.51.100.7')
  })

  test('has a line for each caller that left before the answer, and metrics count them', async (t) => {
    let release = () => {}
    const stuck = new Promise<void>((resolve) => {
      release = resolve
    })
    let held = 0
    const before = (step: string) => {
      if (!/flow/i.test(step)) return
      held += 1
      return stuck
    }
    const server = await testServer(t, { db: withFaults(await postgres.open(t), { before }) })
    const get = 'GET /self-service/login/api HTTP/1.1\r\nHost: x\r\n\r\n'
    const post = `POST /self-service/login?flow=${randomUUID()} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n`
    const phases: [text: string, held: number][] = [
      [get, 1],
      [`${post}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`, 1],
      [`${post}Content-Length: 9\r\n\r\n{`, 0],
      [get + get, 2],
    ]
    for (const [text, begun] of phases) {
      const from = held
      const lines = gone(server).length
      const socket = net.connect(Number(new URL(server.publicUrl).port), '127.0.0.1')
      socket.on('error', () => {}).write(text)
      await (begun > 0 ? until(() => held === from + begun) : once(socket, 'ready'))
      socket.end()
      await until(() => gone(server).length === lines + Math.max(begun, 1))
    }
    release()
    const [login, begin] = [
      { method: 'POST', route: '/self-service/login', remote: '127.0.0.1' },
      { method: 'GET', route: '/self-service/login/api', remote: '127.0.0.1' },
    ]
    assert.deepEqual(gone(server), [begin, login, login, begin, begin])
    assert.deepEqual(requests(server), [], 'none of them was answered')
    const metrics = await (await fetch(`${server.adminUrl}/metrics/prometheus`)).text()
    const counts = [...metrics.matchAll(/^http_requests_total\{.*code="(\d+)".*method="(\w+)"\} (\d+)$/gm)]
    // half a body is an error in itself, which is answered though nobody may read it
    const expected = ['400 post 1', '499 get 3', '499 post 1']
    assert.deepEqual(counts.map(([, ...parts]) => parts.join(' ')).sort(), expected)
  })

  test('has a line for a URL that cannot be routed', async (t) => {
    const server = await testServer(t)
    for (const path of ['/schemas/%zz', `/sessions/${'x'.repeat(9000)}`]) await fetch(server.publicUrl + path)
    const malformed = { method: 'GET', route: 'unknown', remote: '127.0.0.1' }
    await until(() => requests(server).length === 2)
    assert.deepEqual(requests(server), [malformed, malformed])
  })

  test('addresses of proxies that are none are refused with the configuration', async (t) => {
    for (const wrong of ['300.1.1.1', '10.0.0.0/33', 'fd00::/129', '1', ':'])
      await assert.rejects(
        testServer(t, { config: { lethe: { http: { trusted_proxies: [wrong] } } } }),
        /trusted_proxies/,
      )
  })
})
