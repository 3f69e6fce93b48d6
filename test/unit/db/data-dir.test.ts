import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { platform, tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { sql } from '../../../src/kernel/db/client.ts'
import { openDb } from '../../../src/kernel/db/open.ts'
import { closeDataDir } from '../../../src/kernel/db/pglite/data-dir.ts'

const SOURCE = new URL('../../../src/kernel/db/pglite/data-dir.ts', import.meta.url).href
const SKIP = { skip: platform() === 'win32' }

async function place(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'lethe-dir-'))
  t.after(() => rm(dir, { recursive: true }))
  return join(dir, 'deeper', 'data')
}

/** All that others have a right to, below the folder and itself. */
function open(dir: string): string[] {
  const below = readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name))
  return [dir, ...below].filter((path) => !lstatSync(path).isSymbolicLink() && (lstatSync(path).mode & 0o077) !== 0)
}

/** Opens the folder as `serve` does; the umask is that of the test, which leaves all to the code. */
async function once(dir: string, work = async () => {}): Promise<string[]> {
  const warnings: string[] = []
  const db = await openDb(`pglite://${dir}`, { onWarning: (message) => warnings.push(message) })
  try {
    await work()
    await db.query(sql('test.one_data_dir', 'select 1'))
  } finally {
    await db.close()
  }
  return warnings
}

describe('the folder of an embedded database', SKIP, () => {
  test('is made for its own user alone, with its lock and the folders above it', async (t) => {
    const dir = await place(t)
    const warnings = await once(dir, async () => {
      assert.deepEqual(open(dir), [])
      assert.ok(readdirSync(dir).includes('PG_VERSION'))
      assert.equal(statSync(`${dir}.lock`).mode & 0o777, 0o600)
      assert.equal(statSync(dirname(dir)).mode & 0o777, 0o700)
    })
    assert.deepEqual(warnings, [])
  })

  test('found open is closed with all that it holds and the warning names it; links are not followed', async (t) => {
    const dir = await place(t)
    await once(dir)
    const outside = join(dirname(dir), 'outside')
    writeFileSync(outside, '')
    chmodSync(outside, 0o644)
    symlinkSync(outside, join(dir, 'link'))
    for (const path of open(dir).concat(dir, join(dir, 'base'), join(dir, 'PG_VERSION'))) chmodSync(path, 0o777)
    const warnings = await once(dir, async () => assert.deepEqual(open(dir), []))
    assert.match(warnings.join('\n'), /^the folder .*data was open to other users .*\(mode 0777\) and is closed now/)
    assert.equal(statSync(outside).mode & 0o777, 0o644)
    assert.deepEqual(await once(dir), [])
  })

  test('is closed before the engine writes anything', async (t) => {
    const dir = await place(t)
    mkdirSync(dir, { recursive: true })
    chmodSync(dir, 0o777)
    const seen: number[] = []
    await closeDataDir(dir, () => seen.push(statSync(dir).mode & 0o777, readdirSync(dir).length))
    assert.deepEqual(seen, [0o700, 0])
  })

  test('that everybody may replace is named', async (t) => {
    const dir = await place(t)
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    chmodSync(dirname(dir), 0o777)
    assert.match((await once(dir)).join(), /every user of this machine may rename .*: run `chmod o-w /)
    chmodSync(dirname(dir), 0o1777)
    assert.deepEqual(await once(dir), [])
  })

  test('that is open and belongs to another user is refused', { skip: userInfo().uid !== 0 }, async (t) => {
    const dir = await place(t)
    mkdirSync(dir, { recursive: true })
    for (const path of [dir, dirname(dir), dirname(dirname(dir))]) chmodSync(path, 0o777)
    chownSync(dir, 12345, 12345)
    const code = `const { closeDataDir } = await import(${JSON.stringify(SOURCE)}); process.setuid(12346)
      await closeDataDir(process.argv[1], () => {}).catch((e) => console.log(e.name, e.message))`
    const args = ['--import', 'tsx', '--input-type=module', '-e', code, dir]
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.match(stdout, /^DataDirOpen the folder .* is open .*\(mode 0777\) and cannot be closed .*mode 0700/)
  })
})
