import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../../src/config/load.ts'
import { createLogger } from '../../../src/kernel/base/log.ts'
import { createLiveConfig } from '../../../src/ops/live-config.ts'
import { collect } from '../../helpers/log.ts'
import { until } from '../../helpers/until.ts'

const TRAITS = { type: 'object', properties: { email: { type: 'string' } } }
const SCHEMA = `base64://${Buffer.from(JSON.stringify({ properties: { traits: TRAITS } })).toString('base64')}`
const WEAK = ', methods: {totp: {enabled: true}}, flows: {settings: {required_aal: aal1}}'
const yaml = (lifespan: string, selfservice = '') => `dsn: memory
selfservice: {default_browser_return_url: "http://a.example/", allowed_return_urls: ["no address"]${selfservice}}
identity: {schemas: [{id: default, url: "${SCHEMA}"}]}
secrets: {cookie: [a-secret-for-this-test]}
session: {lifespan: ${lifespan}}
`

test('a reload tells the warnings that are new with it, and none again', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'lethe-live-'))
  t.after(() => rmSync(path, { recursive: true }))
  const file = join(path, 'k.yml')
  writeFileSync(file, yaml('24h'))
  const options = { files: [file], env: {}, flags: { dev: false } }
  const loaded = loadConfig(options)
  const { out, lines } = collect()
  const log = await createLogger({ log: { ...loaded.config.log, level: 'info', format: 'json' } }, out)
  const live = await createLiveConfig({ ...options, cwd: path }, loaded, log)
  t.after(() => live.close())
  const told = () => lines().filter(({ level, msg }) => level === 'warning' || msg === 'configuration reloaded')
  writeFileSync(file, yaml('1h', WEAK))
  await until(() => told().length >= 2, 'the reload')
  writeFileSync(file, yaml('2h', WEAK))
  await until(() => told().length >= 3, 'the second reload')
  assert.deepEqual(
    told().map(({ msg }) => msg),
    [
      'configuration reloaded',
      'a session of the password alone may remove second factors, or add one and so raise its level',
      'configuration reloaded',
    ],
  )
})
