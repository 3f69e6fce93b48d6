import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type LoadedConfig, loadConfig } from '../../../src/config/load.ts'
import { type ConfigChange, changedKeys } from '../../../src/config/reload.ts'
import { type WatchOptions, watchConfig } from '../../../src/config/watch.ts'

const yaml = (extra = '') => `dsn: memory
selfservice: {default_browser_return_url: "http://a.example/"}
identity: {schemas: [{id: default, url: "base64://e30="}]}
secrets: {cookie: [a-secret-for-this-test]}
${extra}`

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'lethe-config-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

/** A watcher whose reports can be awaited one by one. */
function start(t: TestContext, file: string, over: Partial<WatchOptions> = {}) {
  const options = { files: [file], env: {}, flags: { dev: false } }
  const initial: LoadedConfig = over.initial ?? loadConfig(options)
  const reports: (ConfigChange | Error)[] = []
  const waiting: ((report: ConfigChange | Error) => void)[] = []
  const report = (entry: ConfigChange | Error) => {
    const next = waiting.shift()
    if (next) next(entry)
    else reports.push(entry)
  }
  const watcher = watchConfig({
    ...options,
    initial,
    onChange: report,
    onError: report,
    pollMs: 50,
    settleMs: 20,
    ...over,
  })
  t.after(watcher.close)
  const next = () => {
    const ready = reports.shift()
    return ready ? Promise.resolve(ready) : new Promise<ConfigChange | Error>((resolve) => waiting.push(resolve))
  }
  const change = async () => {
    const entry = await next()
    assert.ok(!(entry instanceof Error), String(entry))
    return entry
  }
  // The timers of the watcher keep no process alive; this one does, and ends a wait for a report that never comes.
  const late = setTimeout(() => report(new Error('nothing was reported for a minute')), 60_000)
  t.after(() => clearTimeout(late))
  return { watcher, change, next, reports }
}

test('a written file is noticed; keys that need a restart keep their value', async (t) => {
  const file = join(folder(t), 'k.yml')
  writeFileSync(file, yaml())
  const { watcher, change } = start(t, file)
  writeFileSync(file, yaml('session: {lifespan: 1h}\nserve: {public: {port: 5000}}\nlog: {format: json}\n'))
  const { loaded, live, restart } = await change()
  assert.deepEqual(live, ['session.lifespan'])
  assert.deepEqual(restart, ['serve.public.port', 'log.format'])
  assert.equal(loaded.config.session.lifespan, 3_600_000)
  assert.equal(loaded.config.serve.public.port, 4433)
  assert.equal(loaded.config.log.format, undefined)
  assert.ok(Object.isFrozen(loaded.config.session))
  await watcher.check()
  assert.equal(watcher.current(), loaded)
})

test('a file replaced by rename is noticed', async (t) => {
  const file = join(folder(t), 'k.yml')
  writeFileSync(file, yaml())
  const { change } = start(t, file)
  writeFileSync(`${file}.new`, yaml('cookies: {path: /x}\n'))
  renameSync(`${file}.new`, file)
  assert.deepEqual((await change()).live, ['cookies.path'])
})

test('a swapped symbolic link is noticed twice in a row, as Kubernetes mounts files', async (t) => {
  const path = folder(t)
  const version = (name: string, text: string) => {
    mkdirSync(join(path, name))
    writeFileSync(join(path, name, 'k.yml'), text)
    symlinkSync(name, join(path, '..data_tmp'))
    renameSync(join(path, '..data_tmp'), join(path, '..data'))
  }
  version('..1', yaml())
  symlinkSync(join('..data', 'k.yml'), join(path, 'k.yml'))
  const { change } = start(t, join(path, 'k.yml'))
  version('..2', yaml('session: {lifespan: 2h}\n'))
  assert.equal((await change()).loaded.config.session.lifespan, 7_200_000)
  version('..3', yaml('session: {lifespan: 3h}\n'))
  assert.equal((await change()).loaded.config.session.lifespan, 10_800_000)
})

test('a bad file is reported once and the last good configuration stays', async (t) => {
  const file = join(folder(t), 'k.yml')
  writeFileSync(file, yaml())
  const { watcher, next, change, reports } = start(t, file)
  const before = watcher.current()
  writeFileSync(file, yaml('session: {lifespan: bad}\n'))
  const error = await next()
  assert.ok(error instanceof Error)
  assert.match(error.message, /session\.lifespan: bad/)
  assert.equal(watcher.current(), before)
  await watcher.check()
  await watcher.check()
  assert.deepEqual(reports, [])
  writeFileSync(file, yaml('session: {lifespan: 5h}\n'))
  assert.deepEqual((await change()).live, ['session.lifespan'])
})

test('a file that changes between its first reading and the beginning of the watch is noticed', async (t) => {
  const file = join(folder(t), 'k.yml')
  writeFileSync(file, yaml())
  const initial = loadConfig({ files: [file], env: {}, flags: { dev: false } })
  writeFileSync(file, yaml('session: {lifespan: 2h}\n'))
  const { change } = start(t, file, { initial })
  assert.deepEqual((await change()).live, ['session.lifespan'])
})

test('a removed file, one that comes back the same, and a comment change nothing', async (t) => {
  const file = join(folder(t), 'k.yml')
  writeFileSync(file, yaml())
  const { watcher, reports } = start(t, file, { pollMs: 60_000 })
  rmSync(file)
  await watcher.check()
  writeFileSync(file, yaml())
  await watcher.check()
  writeFileSync(file, yaml('# a comment\n'))
  await watcher.check()
  assert.deepEqual(reports, [])
})

test('a change that cannot be taken over leaves the old configuration in force', async (t) => {
  const file = join(folder(t), 'k.yml')
  writeFileSync(file, yaml())
  const onChange = () => Promise.reject(new Error('identity schema is broken'))
  const { watcher, next } = start(t, file, { onChange })
  const before = watcher.current()
  writeFileSync(file, yaml('session: {lifespan: 1h}\n'))
  assert.match(String(await next()), /identity schema is broken/)
  assert.equal(watcher.current(), before)
})

test('secrets made at the start survive a reload', async (t) => {
  const file = join(folder(t), 'k.yml')
  const bare = yaml().replace(/^secrets.*$/m, '')
  writeFileSync(file, bare)
  let made = 0
  const random = (bytes: number) => Buffer.alloc(bytes, ++made)
  const initial = loadConfig({ files: [file], env: {}, flags: { dev: false }, random })
  const { change } = start(t, file, { initial, random })
  writeFileSync(file, `${bare}session: {lifespan: 1h}\n`)
  const { loaded, live } = await change()
  assert.deepEqual(live, ['session.lifespan'])
  assert.deepEqual(loaded.config.secrets.default, initial.config.secrets.default)
})

test('differences are named by key', () => {
  const load = (extra: string) =>
    loadConfig({ files: ['k.yml'], env: {}, flags: { dev: false }, readFile: () => yaml(extra) }).config
  assert.deepEqual(changedKeys(load(''), load('')), { live: [], restart: [] })
  assert.deepEqual(changedKeys(load('lethe: {database: {lock_timeout: 1s}, gc: {enabled: false}}'), load('')), {
    live: ['lethe.gc.enabled'],
    restart: ['lethe.database.lock_timeout'],
  })
})
