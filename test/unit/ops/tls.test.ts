import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { Config } from '../../../src/config/schema/schema.ts'
import { createLogger } from '../../../src/kernel/base/log.ts'
import { createServer } from '../../../src/kernel/http/server.ts'
import { followTls, readTls } from '../../../src/ops/tls.ts'
import { collect } from '../../helpers/log.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url))
const serving = (cert: object, key: object) =>
  ({ serve: { public: { tls: { cert, key } }, admin: { tls: { cert: {}, key: {} } } } }) as unknown as Config

/** A running server with its files, which a test may overwrite. */
async function server(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'lethe-tls-'))
  const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  const use = async (name: string) => {
    await copyFile(fixture(`${name}.crt`), cert)
    await copyFile(fixture(`${name}.key`), key)
  }
  await use('a')
  const config = serving({ path: cert }, { path: key })
  const initial = await readTls(config)
  const { out, lines } = collect()
  const log = await createLogger({ log: { level: 'info', format: 'json' } } as Config, out)
  const app = createServer({
    log,
    requestId: () => 'id',
    requestTimeoutMs: 5000,
    responseTimeoutMs: 0,
    headerLimitBytes: 16_384,
    bodyLimitBytes: 1000,
    bodyLimits: { bytes: 1000, json: { values: 10, depth: 10 }, fields: 10 },
    maxEventLoopDelayMs: 0,
    trustedProxies: [],
    tls: initial.public!,
  })
  app.get('/', async () => 'hello')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const follower = followTls({ apps: [{ name: 'public', app }], config, initial, log })
  t.after(async () => {
    follower.close()
    await app.close()
    await rm(folder, { recursive: true })
  })
  return { port: (app.server.address() as AddressInfo).port, use, cert, key, lines, look: follower.look }
}

/** The organisation that the certificate names, and the answer to a request. */
function visit(port: number): Promise<{ organisation: string; answer: string }> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      const organisation = String(socket.getPeerCertificate().subject.O)
      let answer = ''
      socket.on('data', (chunk) => (answer += chunk)).on('end', () => resolve({ organisation, answer }))
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    }).on('error', reject)
  })
}

describe('TLS', () => {
  test('a changed certificate is taken over without a restart, a broken one is not', async (t) => {
    const { port, use, cert, lines, look } = await server(t)
    const first = await visit(port)
    assert.equal(first.organisation, 'test a')
    assert.match(first.answer, /^HTTP\/1.1 200 [\s\S]*hello$/)

    await copyFile(fixture('b.crt'), cert)
    await look()
    await look()
    assert.equal((await visit(port)).organisation, 'test a')
    await rm(cert)
    await look()
    assert.equal((await visit(port)).organisation, 'test a')
    const errors = lines().filter(({ level }) => level === 'error')
    assert.equal(errors.length, 2)
    assert.match(JSON.stringify(errors[0]), /serve\.public\.tls: certificate and key cannot be used/)
    assert.match(JSON.stringify(errors[1]), /serve\.public\.tls\.cert\.path: .* cannot be read \(ENOENT\)/)

    await use('b')
    await look()
    assert.equal((await visit(port)).organisation, 'test b')
    await look()
    assert.equal(lines().filter(({ msg }) => msg === 'TLS certificate reloaded').length, 1)
  })

  test('plain HTTP is told what is wrong', async (t) => {
    const { port } = await server(t)
    const answer = await new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
      socket.on('data', (chunk) => (text += chunk)).on('close', () => resolve(text))
      socket.on('error', reject)
    })
    assert.match(answer, /^HTTP\/1.1 400 [\s\S]*\r\n\r\nClient sent an HTTP request to an HTTPS server.\n$/)
    assert.equal((await visit(port)).organisation, 'test a')
  })

  test('base64 wins over a path, and ports without certificate stay plain', async () => {
    const base64 = async (name: string) => (await readFile(fixture(name))).toString('base64')
    const pairs = await readTls(
      serving({ base64: await base64('a.crt'), path: '/nonexistent' }, { base64: await base64('a.key') }),
    )
    assert.deepEqual(pairs.public?.cert, await readFile(fixture('a.crt')))
    assert.equal(pairs.admin, undefined)
  })

  for (const [what, cert, key, reason] of [
    [
      'a missing file',
      '/nonexistent/tls.crt',
      fixture('a.key'),
      /^serve\.public\.tls\.cert\.path: \/nonexistent\/tls\.crt/,
    ],
    ['a key of another certificate', fixture('a.crt'), fixture('b.key'), /^serve\.public\.tls: .*mismatch/],
    ['two certificates', fixture('a.crt'), fixture('a.crt'), /^serve\.public\.tls: certificate and key cannot be used/],
  ] as const) {
    test(`${what} is refused by name`, () =>
      assert.rejects(readTls(serving({ path: cert }, { path: key })), (error: Error) => reason.test(error.message)))
  }
})
