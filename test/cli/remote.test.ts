import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import type { Scope } from '../helpers/db.ts'
import { testServer } from '../helpers/server.ts'
import { runHere } from './in-process.ts'

describe('remote', () => {
  it('refuses a user or password that cannot be read', async () => {
    const { code, stderr } = await runHere(['list', 'identities', '-e', 'http://u:100%@127.0.0.1:4434'])
    assert.deepEqual([code, stderr], [1, 'user and password of the remote endpoint cannot be read: write % as %25\n'])
  })

  it('shows status and version', async (t) => {
    const { adminUrl } = await testServer(t)
    const env = { LETHE_ADMIN_URL: `${adminUrl}/` }
    const status = await runHere(['remote', 'status'], { env })
    assert.deepEqual([status.code, status.stdout], [0, 'ALIVE\ttrue\t\nREADY\ttrue\t\n'])
    const json = await runHere(['remote', 'status', '-e', adminUrl, '--format', 'json'])
    assert.equal(json.stdout, '{"alive":true,"ready":true}\n')
    const version = await runHere(['remote', 'version'], { env })
    assert.deepEqual([version.code, version.stdout], [0, 'VERSION\tv26.2.0\t\n'])
    assert.equal((await runHere(['remote', 'version', '--format', 'json'], { env })).stdout, '{"version":"v26.2.0"}\n')
  })

  it('tries five times when nothing answers', async () => {
    const away = 'http://127.0.0.1:2'
    const status = await runHere(['remote', 'status', '-e', away])
    assert.deepEqual([status.code, status.stdout], [1, 'ALIVE\tfalse\t\nREADY\tfalse\t\n'])
    assert.deepEqual(status.pauses, [1000, 2000, 4000, 8000])
    const version = await runHere(['remote', 'version', '-e', away])
    assert.deepEqual([version.code, version.stdout, version.pauses.length], [1, '', 4])
  })

  it('says what looks like the public port', async (t) => {
    const { publicUrl } = await testServer(t)
    const { code, stderr } = await runHere(['remote', 'version', '-e', publicUrl])
    assert.equal(code, 1)
    assert.match(stderr, /^404 Not Found/)
  })

  it('sends the password of an address as a header, and never shows it', async (t) => {
    const { url, seen } = await listener(t)
    await runHere(['remote', 'version', '-e', url.replace('//', '//ops:p%40ss@')])
    assert.deepEqual(seen, [`Basic ${Buffer.from('ops:p@ss').toString('base64')}`])
    const { stderr } = await runHere(['list', 'identities', '-e', 'http://ops:p%40ss@127.0.0.1:2'])
    assert.ok(!stderr.includes('p%40ss') && !stderr.includes('p@ss'), stderr)
  })
})

async function listener(t: Scope) {
  const seen: (string | undefined)[] = []
  const server = createServer((req, res) => {
    seen.push(req.headers.authorization)
    res.end('{"version":"v1"}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}
