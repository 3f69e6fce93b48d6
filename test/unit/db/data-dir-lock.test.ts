import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { sql } from '../../../src/kernel/db/client.ts'
import { openPglite } from '../../../src/kernel/db/pglite/client.ts'
import { DataDirInUse, DataDirUnusable, lockDataDir } from '../../../src/kernel/db/pglite/data-dir-lock.ts'

const SOURCE = new URL('../../../src/kernel/db/pglite/data-dir-lock.ts', import.meta.url).href
const HOLDER = `const { lockDataDir } = await import(${JSON.stringify(SOURCE)})
  await lockDataDir(process.argv[1]); console.log('held'); setInterval(() => {}, 1000)`

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'lethe-lock-'))
  t.after(() => rm(dir, { recursive: true }))
  return join(dir, 'data')
}

async function holder(t: TestContext, dir: string) {
  const args = ['--import', 'tsx', '--input-type=module', '-e', HOLDER, dir]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

/** As its holder does, who lives where it cannot be looked up. The last touch has happened once it has stopped. */
function touching(file: string) {
  let last: Promise<void> | undefined
  const timer = setInterval(() => {
    last = utimes(file, new Date(), new Date())
  }, 500)
  return {
    async stop() {
      clearInterval(timer)
      await last
    },
  }
}

describe('the lock on a folder of data', () => {
  test('is held by one, and free again afterwards', async (t) => {
    const dir = await folder(t)
    const free = await lockDataDir(dir)
    await assert.rejects(lockDataDir(dir), DataDirInUse)
    await free()
    assert.equal(existsSync(`${dir}.lock`), false)
    await (await lockDataDir(dir))()
  })

  test('refuses while another process holds it and names that one; ends with it, even when killed', async (t) => {
    const dir = await folder(t)
    const child = await holder(t, dir)
    await assert.rejects(lockDataDir(dir), (error: unknown) => {
      return error instanceof DataDirInUse && error.message.includes(`process ${child.pid} on `)
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
    await (await lockDataDir(dir))()
  })

  test('a reused process id is not mistaken for the owner', { skip: !existsSync('/proc/self/stat') }, async (t) => {
    const dir = await folder(t)
    await lockDataDir(dir)
    const mine = JSON.parse(await readFile(`${dir}.lock`, 'utf8'))
    await writeFile(`${dir}.lock`, JSON.stringify({ ...mine, started: '1' }))
    const free = await lockDataDir(dir)
    await free()
  })

  test('of a process of which nothing can be learned counts while it is touched', async (t) => {
    const dir = await folder(t)
    const free = await lockDataDir(dir)
    const mine = JSON.parse(await readFile(`${dir}.lock`, 'utf8'))
    await free()
    // a path that is too long: what the system answers then is not that there is no such process
    const lock = JSON.stringify({ ...mine, pid: '9'.repeat(5000) })
    await writeFile(`${dir}.lock`, lock)
    const touched = touching(`${dir}.lock`)
    await assert.rejects(lockDataDir(dir), DataDirInUse).finally(() => touched.stop())
  })

  test('that cannot be made is told with the folder and the reason', async (t) => {
    const dir = await folder(t)
    await writeFile(dir, '')
    await assert.rejects(lockDataDir(`${dir}/inside/data`), (error: unknown) => {
      return error instanceof DataDirUnusable && error.message.includes(`${dir}/inside/data`)
    })
  })

  test('of another host counts while it is touched, and is taken over once it stands still', async (t) => {
    const dir = await folder(t)
    const text = JSON.stringify({ host: 'another-host', pid: '1', started: '5', space: 'there' })
    await writeFile(`${dir}.lock`, text)
    const touched = touching(`${dir}.lock`)
    await assert.rejects(lockDataDir(dir), (e: unknown) => e instanceof DataDirInUse && /another-host/.test(e.message))
    await touched.stop()
    await (await lockDataDir(dir))()
  })

  test('an embedded database keeps its data, and refuses a second opening', async (t) => {
    const dir = await folder(t)
    const first = await openPglite({ dataDir: dir })
    await first.script(`create table kept (n int); insert into kept values (7)`)
    await assert.rejects(openPglite({ dataDir: dir }), DataDirInUse)
    await first.close()
    const second = await openPglite({ dataDir: dir })
    assert.deepEqual(await second.query(sql('test.kept_data_dir_lock', 'select n from kept')), [{ n: 7 }])
    await second.close()
  })
})
