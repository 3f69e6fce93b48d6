import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { freeSocketPath, setSocketRights } from '../../../src/ops/unix-socket.ts'

async function place(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'lethe-sock-'))
  const open: Server[] = []
  t.after(async () => {
    for (const server of open) server.close()
    await rm(folder, { recursive: true, force: true })
  })
  const path = join(folder, 'http.sock')
  return {
    path,
    async listen(at = path) {
      const server = createServer((socket) => socket.end())
      await new Promise<void>((resolve) => server.listen(at, resolve))
      open.push(server)
      return server
    },
  }
}

describe('a socket file', () => {
  test('gets the permissions, the owner and the group of the configuration', async (t) => {
    const { path, listen } = await place(t)
    await listen()
    const { uid, gid } = await stat(path)
    await setSocketRights(path, { owner: String(uid), group: String(gid), mode: 0o600 })
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    if (uid === 0) {
      await setSocketRights(path, { owner: '', group: '12345', mode: 0o660 })
      const { uid, gid, mode } = await stat(path)
      assert.deepEqual([uid, gid, mode & 0o777], [0, 12345, 0o660])
    }
    const unknown = { owner: 'no-such-user-here', group: '', mode: 0o600 }
    await assert.rejects(setSocketRights(path, unknown), /there is no user "no-such-user-here"/)
  })

  test('left by a process that was killed makes way', async (t) => {
    const { path, listen } = await place(t)
    const server = await listen(`${path}.old`)
    const { rename } = await import('node:fs/promises')
    await rename(`${path}.old`, path)
    await new Promise((resolve) => server.close(resolve))
    await freeSocketPath(path)
    await assert.rejects(stat(path), /ENOENT/)
    await freeSocketPath(path)
  })

  test('of a running process is not taken away', async (t) => {
    const { path, listen } = await place(t)
    await listen()
    await assert.rejects(freeSocketPath(path), /in use by another process/)
    assert.ok((await stat(path)).isSocket())
  })

  test('of a running process whose queue of connections is full is not taken away', async (t) => {
    if (platform() !== 'linux') return t.skip('other systems answer for a full queue as if nobody listened')
    const { path } = await place(t)
    const program = `require('node:net').createServer().listen({ path: process.argv[1], backlog: 1 }, () => {
      require('node:fs').writeSync(1, 'open'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) })`
    const busy = spawn(process.execPath, ['-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => busy.kill('SIGKILL'))
    await once(busy.stdout, 'data')
    for (let i = 0; i < 8; i += 1) {
      const waiting = connect(path).on('error', () => {})
      t.after(() => waiting.destroy())
    }
    await assert.rejects(freeSocketPath(path), /in use by another process/)
    assert.ok((await stat(path)).isSocket())
  })

  test('is not made where another file stands', async (t) => {
    const { path } = await place(t)
    await writeFile(path, 'precious')
    await assert.rejects(freeSocketPath(path), /is not a socket/)
    assert.ok((await stat(path)).isFile())
  })
})
