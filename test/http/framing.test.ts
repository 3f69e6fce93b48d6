import assert from 'node:assert/strict'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import { closingScope, postgres } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'

/**
 * A proxy in front and this server must agree where a request ends. Where they could differ, whoever is next on the
 * connection would get the answer to a request that somebody else has smuggled in: refused, and the connection closed.
 */

const HOST = 'Host: localhost\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`
const post = (headers: string, body = '') => `POST /self-service/login HTTP/1.1\r\n${HOST}${headers}\r\n${body}`

const AMBIGUOUS: Record<string, string> = {
  'length and chunked': post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'chunked and length': post('Transfer-Encoding: chunked\r\nContent-Length: 6\r\n', '0\r\n\r\n'),
  'two lengths that differ': post('Content-Length: 0\r\nContent-Length: 5\r\n'),
  'two lengths in one': post('Content-Length: 0, 5\r\n'),
  'a length with a sign': post('Content-Length: +0\r\n'),
  'a length below nothing': post('Content-Length: -1\r\n'),
  'a length in hexadecimal': post('Content-Length: 0x0\r\n'),
  'a length that overflows': post('Content-Length: 99999999999999999999999\r\n'),
  'a space before the colon': post('Content-Length : 0\r\n'),
  'a space before the colon of the encoding': post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
  'chunked that is not last': post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
  'an encoding that nobody knows': post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
  'a folded header': post('X-A: b\r\n Content-Length: 5\r\n'),
  'a header without a name': post(': x\r\n'),
  'a header without a colon': post('Content-Length 5\r\n'),
  'lines that end in CR alone': `POST /self-service/login HTTP/1.1\r${HOST}Content-Length: 0\r\r`,
  'chunks of a size that is none': post('Transfer-Encoding: chunked\r\n', 'zz\r\n\r\n'),
  'chunks without their end of line': post('Transfer-Encoding: chunked\r\n', '1\r\nxx0\r\n\r\n'),
  'no host': 'GET /sessions/whoami HTTP/1.1\r\n\r\n',
}

describe('one request, one answer', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await testServer(scope, { backend: postgres })
  })
  after(() => scope.close())

  for (const [name, text] of Object.entries(AMBIGUOUS)) {
    for (const port of ['publicUrl', 'adminUrl'] as const) {
      test(`${name} (${port}): refused, closed, and what follows is not read`, async () => {
        const answer = await exchange(server[port], text + SMUGGLED)
        assert.match(answer, /^HTTP\/1\.1 4\d\d /)
        assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1, answer)
        assert.doesNotMatch(answer, /404 /, 'the request that follows was answered')
      })
    }
  }

  test('two requests that are clear are both answered', async () => {
    const close = `GET /smuggled HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`
    const answer = await exchange(server.publicUrl, `GET /health/alive HTTP/1.1\r\n${HOST}\r\n${close}`)
    assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 404'])
  })

  for (const [name, request, fault] of [
    ['an answer before the body has come', `GET /sessions/whoami HTTP/1.1\r\n${HOST}${CHUNKED}\r\n`, 'zz\r\n'],
    ['a stream that goes on', `GET /admin/events/stream HTTP/1.1\r\n${HOST}\r\n`, 'no request\r\n\r\n'],
  ] as const) {
    test(`a fault behind ${name} closes the connection, and nothing is written into the answer`, async () => {
      const url = name.startsWith('a stream') ? server.adminUrl : server.publicUrl
      const answer = await exchange(url, request, (socket) => socket.once('data', () => socket.write(fault)))
      assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1, answer)
    })
  }

  test('a fault behind a request that is worked on is refused after its answer', async (t) => {
    let release = () => {}
    const stuck = new Promise<void>((resolve) => {
      release = resolve
    })
    let held = false
    const before = (step: string) => {
      if (!/flow/i.test(step)) return
      held = true
      return stuck
    }
    const slow = await testServer(t, { db: withFaults(await postgres.open(t), { before }) })
    const asked = `GET /self-service/login/api HTTP/1.1\r\n${HOST}\r\n`
    const answer = await exchange(slow.publicUrl, asked, async (socket) => {
      await until(() => held)
      socket.write('no request\r\n\r\n')
      // while the fault is read
      for (let i = 0; i < 5; i++) await (await fetch(`${slow.publicUrl}/health/alive`)).text()
      release()
    })
    assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 400'])
  })
})

/** @returns all that comes until the other end closes */
function exchange(url: string, text: string, then: (socket: net.Socket) => unknown = () => {}): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(text))
    then(socket)
    let answer = ''
    socket.on('data', (part) => {
      answer += part
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
    socket.setTimeout(60_000, () => {
      socket.destroy()
      reject(new Error(`the connection stays open after ${answer}`))
    })
  })
}
