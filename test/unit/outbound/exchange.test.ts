import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { exchange, type OutboundAnswer, type OutboundRequest } from '../../../src/kernel/outbound/client.ts'
import { createConnections } from '../../../src/kernel/outbound/connections.ts'

const OPEN = { disallowPrivateIps: false, privateIpExceptions: [] }
const LIMIT_MS = 400
/** Where an answer comes. */
const PATIENT = { timeoutMs: 60_000 }
/** Where the head of an answer comes, and its end does not: the machine may take a while for the head. */
const HEAD_ALONE = { timeoutMs: 2000 }

/** A server without manners: `answer` is called with each request that has come whole. */
async function peer(t: TestContext, answer: (socket: Socket, requests: number) => void) {
  const sockets = new Set<Socket>()
  let requests = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
      if (!text.endsWith('{}')) return
      text = ''
      requests += 1
      answer(socket, requests)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connections = createConnections()
  t.after(() => {
    connections.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path`
  const send = (more: Partial<OutboundRequest> = {}): Promise<OutboundAnswer> =>
    exchange(
      { method: 'POST', url, headers: {}, body: '{}', timeoutMs: LIMIT_MS, maxBytes: 1000, ...more },
      OPEN,
      connections,
    )
  return { send, open: () => sockets.size, requests: () => requests, url }
}

/** Waits until nothing is open but what may be kept. */
async function closed(open: () => number, most: number): Promise<void> {
  for (let i = 0; open() > most; i++) {
    assert.ok(i < 6000, `${open()} connections are open`)
    await sleep(10)
  }
}

const drip = (socket: Socket, head: string, piece: string) => {
  socket.write(head)
  const timer = setInterval(() => socket.write(piece), 20)
  socket.on('close', () => clearInterval(timer))
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const many = (count: number, line: string) => Array.from({ length: count }, () => line).join('')

/** What the other end sends, and what it comes to: a status, `cut` when its body is not whole, or `none`. */
const ANSWERS: Record<string, [string | ((socket: Socket) => void), number | 'none', 'whole' | 'cut']> = {
  'as usual': [OK, 200, 'whole'],
  'without a reason': ['HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', 200, 'whole'],
  'of HTTP/1.0, ended by its connection': [(s) => s.end('HTTP/1.0 200 OK\r\n\r\nbody'), 200, 'whole'],
  '204': ['HTTP/1.1 204 No Content\r\n\r\n', 204, 'whole'],
  '205 with a length': ['HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n', 205, 'whole'],
  '304 with a length it does not send': ['HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n', 304, 'whole'],
  'a code that nobody knows': ['HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n', 299, 'whole'],
  'a code of three digits out of range': ['HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n', 999, 'whole'],
  'interim answers first': [
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`,
    200,
    'whole',
  ],
  'interim answers without end': [(s) => drip(s, '', many(50, 'HTTP/1.1 103 Early Hints\r\n\r\n')), 'none', 'cut'],
  'interim answers, slowly': [(s) => drip(s, '', 'HTTP/1.1 102 Processing\r\n\r\n'), 'none', 'cut'],
  'another protocol': ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', 101, 'cut'],
  'another protocol, unnamed': ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 101, 'whole'],
  'a redirect': ['HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n', 307, 'whole'],
  'chunks with extensions and trailers': [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n',
    200,
    'whole',
  ],
  'trailers without end': [
    (s) => drip(s, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', 'X-Trailer: 1\r\n'),
    200,
    'cut',
  ],
  'a chunk of a size that is none': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 200, 'cut'],
  'a body that drips': [(s) => drip(s, 'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n', 'x'), 200, 'cut'],
  'a body without length that drips': [(s) => drip(s, 'HTTP/1.1 200 OK\r\n\r\n', 'x'), 200, 'cut'],
  'a body without end': [(s) => drip(s, 'HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(5000)), 200, 'cut'],
  'a body larger than is read': [`HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(5000)}`, 200, 'cut'],
  'a body cut off': [(s) => s.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx'), 200, 'cut'],
  'no body at all': ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', 200, 'cut'],
  'more than its length': [`${OK}surplus`, 200, 'cut'],
  'two answers to one request': [`${OK}HTTP/1.1 500 Late\r\nContent-Length: 0\r\n\r\n`, 200, 'whole'],
  'a head that drips': [(s) => drip(s, 'HTTP/1.1 200 OK\r\n', 'X-A: 1\r\n'), 'none', 'cut'],
  'a flood of headers': [`HTTP/1.1 200 OK\r\n${many(5000, 'X-A: 1234567890\r\n')}\r\n`, 'none', 'cut'],
  'one long header': [`HTTP/1.1 200 OK\r\nX-A: ${'1'.repeat(100_000)}\r\n\r\n`, 'none', 'cut'],
  'two lengths': ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok', 'none', 'cut'],
  'no HTTP': ['SSH-2.0-OpenSSH_9\r\n', 'none', 'cut'],
  'a status of two digits': ['HTTP/1.1 20 OK\r\n\r\n', 'none', 'cut'],
  'a status of four digits': ['HTTP/1.1 2000 OK\r\n\r\n', 'none', 'cut'],
  'half a status line': [(s) => s.end('HTTP/1.1 2'), 'none', 'cut'],
  'no answer': [() => {}, 'none', 'cut'],
  'a connection closed at once': [(s) => s.end(), 'none', 'cut'],
  'a connection reset': [(s) => s.resetAndDestroy(), 'none', 'cut'],
}

describe('one exchange over HTTP, whatever the other end does', () => {
  for (const [name, [answer, status, whole]] of Object.entries(ANSWERS)) {
    test(`${name}: ${status}, ${whole}, and nothing of it lives on`, async (t) => {
      let odd = true
      const { send, open, url } = await peer(t, (socket) => {
        if (!odd) socket.write(OK)
        else if (typeof answer === 'string') socket.write(answer)
        else answer(socket)
      })
      const limit = whole === 'whole' ? PATIENT : status === 'none' ? {} : HEAD_ALONE
      const outcome = await send(limit).catch((error: Error) => error)
      if (status === 'none') {
        assert.ok(outcome instanceof Error)
        assert.doesNotMatch(outcome.message, /secret-path/)
      } else {
        assert.ok(!(outcome instanceof Error), String(outcome))
        assert.equal(outcome.status, status)
        assert.equal(outcome.cut === undefined, whole === 'whole', outcome.cut)
        assert.ok(outcome.body.length <= 1000)
      }
      await closed(open, whole === 'whole' ? 1 : 0)
      odd = false
      const next = await send(PATIENT)
      assert.deepEqual([next.status, next.body.toString(), next.cut], [200, 'ok', undefined], url)
    })
  }

  test('what comes on a kept connection before it is asked again is no answer to the next request', async (t) => {
    const { send, open } = await peer(t, (socket, requests) => {
      socket.write(OK)
      if (requests === 1) setTimeout(() => socket.write('HTTP/1.1 202 Early\r\nContent-Length: 0\r\n\r\n'), 20)
    })
    await send(PATIENT)
    await closed(open, 0)
    assert.equal((await send(PATIENT)).status, 200)
  })

  for (const [how, close] of [
    ['resets', (socket: Socket) => void socket.resetAndDestroy()],
    ['closes', (socket: Socket) => void socket.end()],
    ['closes at once', (socket: Socket) => void socket.destroy()],
  ] as const)
    test(`a kept connection that the other end ${how} as the next request comes costs nothing`, async (t) => {
      const { send, requests } = await peer(t, (socket, count) => {
        if (count === 2) close(socket)
        else socket.write(OK)
      })
      await send(PATIENT)
      assert.equal((await send(PATIENT)).status, 200)
      assert.equal(requests(), 3)
    })

  for (const [when, answer] of [
    ['in the status line', 'HTTP/1.1 2'],
    ['after an interim answer', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
    ['in the headers', 'HTTP/1.1 200 OK\r\nContent-'],
  ] as const)
    test(`a request is not sent twice when a kept connection is closed ${when}`, async (t) => {
      const { send, requests } = await peer(t, (socket, count) => {
        if (count > 1) socket.end(answer)
        else socket.write(OK)
      })
      await send(PATIENT)
      await assert.rejects(send(PATIENT))
      assert.equal(requests(), 2)
    })

  test('a request is not sent twice when the new connection is closed, too, nor when there was no other before', async (t) => {
    const { send, requests } = await peer(t, (socket, count) => {
      if (count === 2) socket.write(OK)
      else socket.resetAndDestroy()
    })
    await assert.rejects(send(PATIENT))
    assert.equal(requests(), 1)
    await send(PATIENT)
    await assert.rejects(send(PATIENT))
    assert.equal(requests(), 4)
  })

  test('connections that both ends give up after the same time lose no request', async (t) => {
    const idleMs = 30
    const { send } = await peer(t, (socket) => {
      socket.write(OK)
      socket.setTimeout(idleMs, () => socket.destroy())
    })
    for (let i = 0; i < 40; i++) {
      assert.equal((await send(PATIENT)).status, 200)
      await sleep(idleMs - 2 + (i % 5))
    }
  })

  test('it is kept and used again when both are through with it', async (t) => {
    const seen = new Set<Socket>()
    const { send } = await peer(t, (socket) => {
      seen.add(socket)
      socket.write(OK)
    })
    for (let i = 0; i < 3; i++) await send(PATIENT)
    assert.equal(seen.size, 1)
  })

  test('an answer before the request has gone out whole leaves nothing open', async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => {}).pause()
      socket.write(OK)
      setTimeout(() => socket.resume(), 300)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const connections = createConnections()
    t.after(() => connections.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const body = 'x'.repeat(20_000_000)
    const request = { method: 'POST', url, headers: {}, body, timeoutMs: 60_000, maxBytes: 1000 } as const
    assert.equal((await exchange(request, OPEN, connections)).status, 200)
    // a socket that is open would keep the server from closing
    await new Promise((resolve) => server.close(resolve))
  })

  test('it can be called off', async (t) => {
    const { send, open } = await peer(t, () => {})
    const controller = new AbortController()
    const answer = send({ signal: controller.signal, timeoutMs: 60_000 })
    setTimeout(() => controller.abort(), 30)
    await assert.rejects(answer, /aborted/)
    await closed(open, 0)
    await assert.rejects(send({ signal: AbortSignal.abort(), timeoutMs: 60_000 }), /aborted/)
  })

  test('the scheme may be written in capital letters', async () => {
    const request = { method: 'GET', headers: {}, timeoutMs: 60_000, maxBytes: 10 }
    for (const url of ['HTTPS://127.0.0.1:1/', 'HTTP://127.0.0.1:1/'])
      await assert.rejects(exchange({ ...request, url }, OPEN), /ECONNREFUSED/)
  })

  test('under the guard neither a number nor a name leads to a private address', async (t) => {
    const { url, requests } = await peer(t, (socket) => void socket.write(OK))
    const { port } = new URL(url)
    const rules = { disallowPrivateIps: true, privateIpExceptions: [`http://127.0.0.1:${port}/allowed`] }
    const send = (target: string) =>
      exchange({ method: 'POST', url: target, headers: {}, body: '{}', timeoutMs: 60_000, maxBytes: 10 }, rules)
    const hosts = ['127.0.0.1', 'localhost', '0x7f.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]']
    for (const host of [...hosts, '[2002:7f00:1::]', '[::127.0.0.1]', '[fec0::1]', '0.0.0.0'])
      await assert.rejects(send(`http://${host}:${port}/`), /private/, host)
    assert.equal(requests(), 0)
    assert.equal((await send(`http://127.0.0.1:${port}/allowed`)).status, 200)
  })
})
