import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { configurationDocs } from '../../../scripts/generators/configuration-docs.ts'
import { configurationSchema } from '../../../scripts/generators/configuration-schema.ts'
import { coveredNames } from '../../../src/config/checks/unsupported.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { configKeys } from '../../../src/config/sources/keys.ts'

const root = new URL('../../../', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, root), 'utf8')
const shipped = [
  'kratos.yaml',
  'config/examples/compose.yaml',
  'config/examples/postgres.yaml',
  'config/examples/lethe.yaml',
  'config/examples/beside-kratos.yaml',
]

test('the committed reference and JSON schema are those of the code', async () => {
  for (const { file, generate } of [configurationDocs, configurationSchema]) {
    assert.equal(read(file) === (await generate()), true, `${file} is stale: npm run generate`)
  }
})

test('the JSON schema accepts the files that are shipped and refuses mistakes', () => {
  const validate = new Ajv({ strict: false, formats: { uri: true, 'uri-reference': true } }).compile(
    JSON.parse(read('config/kratos.schema.json')),
  )
  const base = parse(read('kratos.yaml'))
  for (const file of shipped)
    assert.equal(validate({ ...base, ...parse(read(file)) }), true, JSON.stringify(validate.errors))
  assert.equal(validate({ ...base, session: { lifespan: '7d' } }), false)
  assert.equal(validate({ ...base, sesion: {} }), false)
  assert.equal(validate({ ...base, selfservice: {} }), false)
})

test('the default configuration starts without a secret in it and with no other warning', () => {
  const { config, warnings, generatedSecrets } = loadConfig({
    files: ['kratos.yaml'],
    env: {},
    flags: { dev: true },
    readFile: read,
  })
  assert.equal(generatedSecrets, true)
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['generated_secrets'],
  )
  assert.equal(config.serve.public.host, '127.0.0.1')
  assert.equal(config.serve.admin.host, '127.0.0.1')
})

test('the examples can be loaded', () => {
  const secrets = { DSN: 'postgres://db.internal/lethe', SECRETS_COOKIE: 'a-secret-of-the-environment' }
  for (const file of ['config/examples/postgres.yaml', 'config/examples/compose.yaml']) {
    const { warnings } = loadConfig({ files: [file], env: secrets, flags: { dev: false }, readFile: read })
    assert.deepEqual(warnings, [], file)
  }
  const two = loadConfig({
    files: ['kratos.yaml', 'config/examples/lethe.yaml'],
    env: {},
    flags: { dev: false },
    readFile: read,
  })
  assert.equal(two.config.lethe.logout.dead_session, 'succeed')
  const beside = loadConfig({
    files: ['config/examples/compose.yaml', 'config/examples/beside-kratos.yaml'],
    env: secrets,
    flags: { dev: true },
    readFile: read,
  })
  assert.equal(beside.config.lethe.events.webhooks[0]!.url, 'http://receiver:8080/')
  assert.equal(two.config.lethe.ui.enabled, true)
})

test('every key has a meaning, and every value of a file can come from the environment by a name of its own', () => {
  const names = configKeys().map((key) => key.path.join('_').toUpperCase())
  assert.deepEqual([...new Set(names)].length, names.length)
  for (const key of configKeys()) {
    const documented = configKeys().some((other) => other.description !== undefined && key.name.startsWith(other.name))
    assert.ok(key.section || documented, key.name)
  }
})

test('every key without effect is either named in the warning or on the list of those not worth one', () => {
  const covered = coveredNames()
  const ui = /\.(ui_url|lifespan|use|notify_unknown_recipients|hooks|default_browser_return_url)$/
  for (const key of configKeys()) {
    if (key.class !== 'B' || key.description === undefined || ui.test(key.name)) continue
    assert.ok(
      covered.some((name) => key.name === name || key.name.startsWith(`${name}.`)),
      key.name,
    )
  }
})
