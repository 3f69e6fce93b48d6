import assert from 'node:assert/strict'
import { existsSync, lstatSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WIRE_CONFIGS } from '../helpers/server.ts'
import { folder } from './folder.ts'
import { start } from './run.ts'

it('whatever the process writes is for its own user, but for the socket that says otherwise', async (t) => {
  const dir = await folder(t)
  const file = join(dir, 'kratos.json')
  writeFileSync(file, JSON.stringify(WIRE_CONFIGS.default).replaceAll(/\{\{(public|admin)\}\}/g, 'http://127.0.0.1:1'))
  const env = {
    DSN: `pglite://${dir}/made/data`,
    SERVE_PUBLIC_HOST: `unix:${dir}/public.sock`,
    SERVE_PUBLIC_SOCKET_MODE: String(0o666),
    SERVE_ADMIN_HOST: `unix:${dir}/admin.sock`,
    SERVE_ADMIN_SOCKET_MODE: String(0o600),
  }
  // The most a shell can allow: nothing may depend on it.
  const before = process.umask(0)
  const { child, ended } = start(['serve', '--dev', '-c', file], { env })
  process.umask(before)
  t.after(() => child.kill('SIGKILL'))
  let over = false
  ended.then(() => (over = true))
  while (!over && !existsSync(join(dir, 'admin.sock'))) await sleep(50)
  const modes = () =>
    Object.fromEntries(
      readdirSync(dir, { recursive: true, encoding: 'utf8' })
        .filter((name) => name !== 'kratos.json')
        .map((name) => [name, (lstatSync(join(dir, name)).mode & 0o777).toString(8)] as const)
        .filter(([name, mode]) => name.endsWith('.sock') || !/^[67]00$/.test(mode)),
    )
  // The mode of a socket is set a moment after it is there.
  while (!over && modes()['admin.sock'] === '700') await sleep(50)
  assert.deepEqual(modes(), { 'public.sock': '666', 'admin.sock': '600' }, over ? (await ended).stderr : '')
  assert.ok(existsSync(join(dir, 'made/data.lock')))
  child.kill('SIGTERM')
  assert.equal((await ended).code, 0)
})
