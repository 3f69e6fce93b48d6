import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Scope } from './db.ts'

const MEBIBYTE = 1024 * 1024

/** What a server may do instead of giving an answer. The first two never end by themselves. */
export const FAULTS = {
  silent: () => undefined,
  drip(response) {
    response.writeHead(200, JSON_TYPE)
    const timer = setInterval(() => response.write(' '), 50)
    response.on('close', () => clearInterval(timer))
  },
  'headers without end'(response) {
    const { socket } = response
    socket?.write('HTTP/1.1 200 OK\r\n')
    const timer = setInterval(() => socket?.write(`x-${'y'.repeat(1000)}: z\r\n`), 1)
    socket?.on('close', () => clearInterval(timer))
  },
  'body without end'(response) {
    response.writeHead(200, JSON_TYPE)
    const piece = Buffer.alloc(MEBIBYTE / 4, '[')
    const more = () => {
      while (response.writable && response.write(piece));
    }
    response.on('drain', more)
    more()
  },
  'gzip bomb': (response) => response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' }).end(bomb),
  'redirect to itself': (response, url) => response.writeHead(302, { location: url }).end(),
  'redirect to a private address': (response) =>
    response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
  'no JSON': (response) => response.writeHead(200, JSON_TYPE).end('<html>soon back</html>'),
  'nothing at all': (response) => response.writeHead(204).end(),
  'a failure': (response) => response.writeHead(500, JSON_TYPE).end('{"error":"server_error"}'),
  'cut off'(response) {
    response.writeHead(200, { ...JSON_TYPE, 'content-length': '100' })
    response.write('{"sub":')
    setImmediate(() => response.destroy())
  },
  'no HTTP': (response) => response.socket?.end('220 mail.example ESMTP\r\n'),
  deep: (response) => response.writeHead(200, JSON_TYPE).end('['.repeat(MEBIBYTE / 2)),
  'deep object': (response) =>
    response.writeHead(200, JSON_TYPE).end(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`),
  wide: (response) => response.writeHead(200, JSON_TYPE).end(`[${'0,'.repeat(400_000)}0]`),
  'too large a number': (response) => response.writeHead(200, JSON_TYPE).end('{"id":1e999,"sub":-1e999}'),
  null: (response) => response.writeHead(200, JSON_TYPE).end('null'),
  'a text': (response) => response.writeHead(200, JSON_TYPE).end('"sub"'),
  'a list': (response) => response.writeHead(200, JSON_TYPE).end('[[]]'),
  'an empty object': (response) => response.writeHead(200, JSON_TYPE).end('{}'),
} satisfies Record<string, (response: ServerResponse, url: string) => unknown>

export type Fault = keyof typeof FAULTS
export const NAMES = Object.keys(FAULTS) as Fault[]

const JSON_TYPE = { 'content-type': 'application/json' }
const bomb = gzipSync(`{"sub":"${'0'.repeat(50 * MEBIBYTE)}"}`)

/** Answers at `/FAULT/…` with that fault. @returns its origin */
export async function hostileServer(t: Scope): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    const [, name = ''] = decodeURIComponent(request.url ?? '').split('/')
    FAULTS[name as Fault]?.(response, request.url ?? '')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
