import assert from 'node:assert/strict'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Client } from '../helpers/client.ts'
import { clearedCookies } from '../helpers/credentials.ts'
import { closingScope, postgres, type Scope } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'

const LIMITS = { request_timeout: '1s', body_limit: '64KB' }

describe('what arrives slowly or never ends is cut off', { concurrency: true }, () => {
  let server: TestServer
  const scope: Scope & { close(): Promise<void> } = closingScope()
  before(async () => {
    server = await testServer(scope, { backend: postgres, config: { lethe: { http: LIMITS } } })
  })
  after(() => scope.close())

  const HEAD = 'POST /self-service/login?flow=x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  for (const [name, begin, drip] of [
    ['nothing at all', '', ''],
    ['headers without an end', 'GET /sessions/whoami HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n'],
    ['a body of which a byte comes now and then', `${HEAD}Content-Length: 5000\r\n\r\n`, 'x'],
    ['a body that was promised and never comes', `${HEAD}Content-Length: 5000\r\n\r\n`, ''],
    ['chunks without an end', `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n'],
  ] as const) {
    for (const port of ['publicUrl', 'adminUrl'] as const) {
      test(`${name} (${port})`, async () => {
        const { answer, reset } = await exchange(server[port], begin, drip)
        assert.ok(reset || answer === '' || /^HTTP\/1\.1 408 /.test(answer), answer)
        assert.equal((await fetch(`${server.publicUrl}/health/alive`)).status, 200)
      })
    }
  }

  for (const [name, begin, options] of [
    ['takes nothing of its answers', 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(200), { read: false }],
    ['is refused and does not close', 'no request\r\n\r\n', { read: true }],
  ] as const) {
    test(`who ${name} loses the connection`, async (t) => {
      const { hostname, port } = new URL(server.publicUrl)
      const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true })
      t.after(() => socket.destroy())
      let gone = false
      socket.on('error', () => {
        gone = true
      })
      if (options.read) socket.resume()
      socket.write(begin)
      // Only a write shows that the other end is gone.
      await until(() => {
        if (!gone) socket.write('G')
        return gone
      }, 'the end of the connection')
    })
  }

  for (const [name, begin, drip, status] of [
    ['a header of a megabyte', 'GET / HTTP/1.1\r\nHost: x\r\nX-A: ', 'a'.repeat(1 << 16), /^HTTP\/1\.1 431 /],
    [
      'a body longer than the limit',
      `${HEAD}Content-Length: 10000000\r\n\r\n`,
      'a'.repeat(1 << 16),
      /^HTTP\/1\.1 400 /,
    ],
    [
      'chunks longer than the limit',
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n`,
      `10000\r\n${'a'.repeat(1 << 16)}\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
  ] as const) {
    test(`${name} is refused before it has arrived`, async () => {
      const { answer, reset, sent } = await exchange(server.publicUrl, begin, drip)
      assert.ok(status.test(answer) || (answer === '' && reset), answer)
      assert.ok(sent < 9_000_000, `${sent} bytes were taken`)
    })
  }
})

describe('a request that takes too long', () => {
  test('gets 503, and what comes late does no harm and leaves no secret in the log', async (t) => {
    let stuck: Promise<void> | undefined
    const db = withFaults(await postgres.open(t), { before: () => stuck })
    const server = await testServer(t, { db, config: { lethe: { http: { response_timeout: '300ms' } } } })
    const { session, headers, whoami } = await signedIn(server)
    const url = `${server.publicUrl}/self-service/logout?token=${server.deps.sessions.logoutToken(session)}`
    for (const accept of ['application/json', 'text/html']) {
      let release = () => {}
      stuck = new Promise((resolve) => {
        release = resolve
      })
      const answer = await fetch(url, { headers: { ...headers, accept }, redirect: 'manual' })
      assert.equal(answer.status, 503)
      assert.ok(Number(answer.headers.get('retry-after')) > 0)
      assert.match(answer.headers.get('content-type') ?? '', new RegExp(accept))
      assert.deepEqual(clearedCookies(answer.headers.getSetCookie()), [])
      stuck = undefined
      release()
      await until(() => server.logs().includes('FST_ERR_REP_ALREADY_SENT'))
      assert.equal(await whoami(), 401, 'what was asked for is done all the same')
    }
    assert.doesNotMatch(server.logs(), /ory_lo_|ory_st_/)
  })

  test('also when it came with a body', async (t) => {
    let stuck: Promise<void> | undefined
    const db = withFaults(await postgres.open(t), { before: () => stuck })
    const server = await testServer(t, { db, config: { lethe: { http: { response_timeout: '300ms' } } } })
    const { token, whoami } = await signedIn(server)
    let release = () => {}
    stuck = new Promise((resolve) => {
      release = resolve
    })
    const logout = await new Client(server).send('DELETE', '/self-service/logout/api', {
      json: { session_token: token },
    })
    assert.equal(logout.status, 503)
    stuck = undefined
    release()
    await until(async () => (await whoami()) === 401)
  })
})

describe('load is shed before the process drowns', () => {
  test('a busy process refuses with 503 and Retry-After; life and metrics are still told', async (t) => {
    const server = await testServer(t, {
      backend: postgres,
      config: { lethe: { http: { max_event_loop_delay: '10ms' } } },
    })
    let busy = true
    const load = (async () => {
      while (busy) {
        burn(30)
        await nextTurn()
      }
    })()
    try {
      const refused = await answers(`${server.publicUrl}/sessions/whoami`, 503)
      assert.equal(refused.headers.get('retry-after'), '5')
      assert.match(await refused.text(), /"reason":"The server is overloaded\."/)
      assert.equal((await fetch(`${server.publicUrl}/health/alive`)).status, 200)
      assert.equal((await fetch(`${server.adminUrl}/health/alive`)).status, 200)
      assert.equal((await fetch(`${server.adminUrl}/metrics/prometheus`)).status, 200)
      assert.equal((await fetch(`${server.adminUrl}/admin/sessions`)).status, 200)
      await answers(`${server.publicUrl}/sessions/whoami`, 503)
    } finally {
      busy = false
      await load
    }
    await answers(`${server.publicUrl}/sessions/whoami`, 401)
  })
})

function burn(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

function answers(url: string, status: number): Promise<Response> {
  return until(async () => {
    const answer = await fetch(url)
    if (answer.status === status) return answer
    await answer.arrayBuffer()
    return undefined
  }, `${status} from ${url}`)
}

/** Sends `begin`, then `drip` again and again, until the other end has had enough. */
function exchange(url: string, begin: string, drip: string): Promise<{ answer: string; reset: boolean; sent: number }> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname)
    let answer = ''
    let reset = false
    let timer: NodeJS.Timeout | undefined
    const limit = setTimeout(() => reject(new Error('never cut off')), 60_000)
    socket.on('connect', () => {
      socket.write(begin)
      if (drip === '') return
      timer = setInterval(
        () => socket.writable && !socket.writableNeedDrain && socket.write(drip),
        drip.length > 100 ? 1 : 200,
      )
    })
    socket.on('data', (part) => {
      answer += part
    })
    socket.on('error', () => {
      reset = true
    })
    socket.on('close', () => {
      clearInterval(timer)
      clearTimeout(limit)
      resolve({ answer, reset, sent: socket.bytesWritten })
    })
  })
}
