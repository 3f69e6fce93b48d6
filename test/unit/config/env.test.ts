import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, loadConfig } from '../../../src/config/load.ts'
import { readEnv } from '../../../src/config/sources/env.ts'
import { goBoolean } from '../../../src/kernel/base/go-boolean.ts'

const SCHEMAS = '[{"id":"default","url":"base64://e30="}]'
const required = {
  DSN: 'memory',
  IDENTITY_SCHEMAS: SCHEMAS,
  SELFSERVICE_DEFAULT_BROWSER_RETURN_URL: 'http://a.example/',
}

const data = (env: Record<string, string>) => readEnv(env).data
const load = (env: Record<string, string>, file = '', dev = false) =>
  loadConfig({ files: file === '' ? [] : ['k.yml'], env, flags: { dev }, readFile: () => file })
const refusal = (env: Record<string, string>): string => {
  try {
    load({ ...required, ...env })
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  return assert.fail('was accepted')
}

test('no file is needed when the environment has all required keys', () => {
  const { config, sources } = load(required)
  assert.equal(config.dsn, 'memory')
  assert.equal(config.identity.schemas[0]?.url, 'base64://e30=')
  assert.deepEqual(sources.env, ['DSN', 'IDENTITY_SCHEMAS', 'SELFSERVICE_DEFAULT_BROWSER_RETURN_URL'])
})

test('the environment wins over files, whatever the case of the name', () => {
  const file = 'session: {lifespan: 1h, cookie: {name: from_file}}'
  const { config } = load({ ...required, session_lifespan: '2h' }, file)
  assert.equal(config.session.lifespan, 7_200_000)
  assert.equal(config.session.cookie.name, 'from_file')
  assert.deepEqual(data({ log_level: 'debug', LOG_LEVEL: 'error' }), { log: { level: 'error' } })
})

test('names that match no key are ignored', () => {
  assert.deepEqual(data({ SESSION_FOO: '1', KRATOS_SESSION_LIFESPAN: '1h', PATH: '/bin', SECRETS_COOKIE_X: 'a' }), {})
})

test('lists of texts: CSV, JSON, single entries', () => {
  const origins = (text: string) => data({ SERVE_PUBLIC_CORS_ALLOWED_ORIGINS: text }).serve
  assert.deepEqual(origins('http://a,http://b'), { public: { cors: { allowed_origins: ['http://a', 'http://b'] } } })
  assert.deepEqual(origins('["http://a"]'), { public: { cors: { allowed_origins: ['http://a'] } } })
  assert.deepEqual(data({ SECRETS_COOKIE: '"first, secret","sec ""ond"' }), {
    secrets: { cookie: ['first, secret', 'sec "ond'] },
  })
  assert.deepEqual(data({ SECRETS_COOKIE: 'a, b' }), { secrets: { cookie: ['a', ' b'] } })
  assert.deepEqual(data({ SECRETS_COOKIE_0: 'x', SECRETS_COOKIE_1: 'y' }), { secrets: { cookie: ['x', 'y'] } })
})

test('lists of maps: JSON or index and name, also two lists deep', () => {
  assert.deepEqual(data({ IDENTITY_SCHEMAS_0_ID: 'a', IDENTITY_SCHEMAS_0_URL: 'file:///x' }), {
    identity: { schemas: [{ id: 'a', url: 'file:///x' }] },
  })
  assert.deepEqual(data({ SELFSERVICE_METHODS_OIDC_CONFIG_PROVIDERS_0_SCOPE_0: 'email' }).selfservice, {
    methods: { oidc: { config: { providers: [{ scope: ['email'] }] } } },
  })
})

test('an index list replaces the one of the file, so a gap is refused', () => {
  assert.match(refusal({ IDENTITY_SCHEMAS: '', IDENTITY_SCHEMAS_1_ID: 'b' }), /identity\.schemas\.0: null/)
  const file = 'selfservice: {allowed_return_urls: [http://a, http://b]}'
  const { config } = load({ ...required, SELFSERVICE_ALLOWED_RETURN_URLS_0: 'http://c' }, file)
  assert.deepEqual(config.selfservice.allowed_return_urls, ['http://c'])
})

test('what an index list lacks is told of the variable that made the list', () => {
  const name = 'SELFSERVICE_METHODS_OIDC_CONFIG_PROVIDERS_0_ID'
  assert.match(
    refusal({ [name]: 'shop' }),
    new RegExp(`missing properties: "client_id"\\)\n    in environment variable ${name}`),
  )
  assert.match(refusal({ SECRETS_COOKIE_1: 'a-secret-for-this-test' }), /in environment variable SECRETS_COOKIE_1/)
})

test('a value that is nested too deeply is refused, and not shown where it may be secret', () => {
  const deep = `["a-secret-for-this-test",${'['.repeat(100_000)}`
  for (const name of ['ORGANIZATIONS', 'LETHE_UI_TEXTS', 'SECRETS_COOKIE']) {
    const message = refusal({ [name]: deep })
    assert.match(message, new RegExp(`${name}: nested deeper`))
    assert.ok(message.length < 1000)
    if (name === 'SECRETS_COOKIE') assert.ok(!message.includes('a-secret'))
  }
})

test('maps are JSON and merged; the more exact name wins', () => {
  const { config } = load({ ...required, LOG: '{"level":"error"}', LOG_LEVEL: 'debug' }, 'log: {format: json}')
  assert.equal(config.log.level, 'debug')
  assert.equal(config.log.format, 'json')
  assert.match(refusal({ LOG: '/var/log' }), /log: \/var\/log\n\^-- expected object, but got string/)
})

test('booleans are the words of Go; nonsense is refused and names the variable', () => {
  for (const yes of ['1', 't', 'T', 'TRUE', 'true', 'True']) assert.equal(goBoolean(yes), true)
  for (const no of ['0', 'f', 'F', 'FALSE', 'false', 'False']) assert.equal(goBoolean(no), false)
  for (const other of ['', 'yes', 'on', 'tRUE', ' true']) assert.equal(goBoolean(other), undefined)
  assert.equal(
    load({ ...required, SELFSERVICE_METHODS_PASSWORD_ENABLED: 'F' }).config.selfservice.methods.password.enabled,
    false,
  )
  assert.match(
    refusal({ SELFSERVICE_METHODS_PASSWORD_ENABLED: 'junk' }),
    /SELFSERVICE_METHODS_PASSWORD_ENABLED: expected boolean/,
  )
})

test('numbers are digits', () => {
  assert.equal(load({ ...required, SERVE_PUBLIC_PORT: '5000' }).config.serve.public.port, 5000)
  assert.match(refusal({ SERVE_PUBLIC_PORT: 'abc' }), /SERVE_PUBLIC_PORT: expected number/)
  assert.match(refusal({ SERVE_PUBLIC_PORT: '0' }), /must be >= 1 but found 0/)
})

test('hooks cannot come from the environment', () => {
  assert.match(refusal({ SELFSERVICE_FLOWS_LOGIN_AFTER_PASSWORD_HOOKS: '[]' }), /expected array, but got string/)
})

test('an empty variable counts as set', () => {
  assert.match(refusal({ LOG_LEVEL: '' }), /log\.level/)
  assert.match(
    refusal({ SECRETS_COOKIE: '' }),
    /secrets\.cookie\.0: \[redacted\]\n\^-- length must be >= 16, but got 0/,
  )
})

test('DEV beats the flag; other words are ignored with a warning', () => {
  assert.equal(load({ ...required, DEV: 'true' }).dev, true)
  assert.equal(load({ ...required, DEV: 'false' }, '', true).dev, false)
  assert.equal(load(required, 'dev: true').dev, false)
  const odd = load({ ...required, DEV: '/dev/tty' })
  assert.equal(odd.dev, false)
  assert.deepEqual(odd.warnings.find((warning) => warning.code === 'ignored_variable')?.keys, ['DEV'])
})

test('names that any environment may have do no harm', () => {
  load({ ...required, HELP: 'x', CONFIG: '/etc/x', VERSION: '1.2', REVISION: 'abc', HOME: '/' })
})

test('a variable named after the prototype changes nothing', () => {
  const { config } = load({ ...required, COURIER_SMTP_HEADERS: '{"__proto__":{"polluted":"yes"}}' })
  assert.equal(({} as { polluted?: string }).polluted, undefined)
  assert.equal((config.courier.smtp.headers as { polluted?: string } | undefined)?.polluted, undefined)
})
