import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, loadConfig } from '../../../src/config/load.ts'
import { loadDsn } from '../../../src/config/load-dsn.ts'
import { adminBaseUrl, publicBaseUrl } from '../../../src/config/schema/schema.ts'

const BASE = `dsn: memory
selfservice:
  default_browser_return_url: http://a.example/
  allowed_return_urls: [http://a.example, http://b.example]
identity:
  schemas:
    - id: default
      url: base64://e30=
`
type Files = Record<string, string>

function load(files: Files, env: Record<string, string> = {}) {
  return loadConfig({
    files: Object.keys(files),
    env,
    flags: { dev: false },
    readFile: (name) => files[name] ?? assert.fail(name),
    random: (bytes) => Buffer.alloc(bytes, 7),
  })
}
function problems(files: Files, env: Record<string, string> = {}) {
  try {
    load(files, env)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error
  }
  return assert.fail('was accepted')
}
const one = (text: string) => {
  const { problems: found } = problems({ 'base.yml': BASE, 'k.yml': text })
  assert.equal(found.length, 1, JSON.stringify(found))
  return found[0]!
}

test('defaults are filled and the result is frozen', () => {
  const { config, hash } = load({ 'k.yml': BASE })
  assert.equal(config.session.lifespan, 86_400_000)
  assert.equal(config.hashers.argon2.memory, 134_217_728)
  assert.equal(config.serve.public.base_url, undefined)
  assert.equal(config.selfservice.flows.registration.style, 'profile_first')
  assert.throws(() => Object.assign(config.session.cookie, { name: 'x' }), TypeError)
  assert.throws(() => (config.selfservice.allowed_return_urls as string[]).push('x'), TypeError)
  assert.match(hash, /^[0-9a-f]{64}$/)
})

test('several files: maps are merged, lists replaced, later ones win', () => {
  const { config } = load({
    'base.yml': `${BASE}session: {lifespan: 1h, cookie: {name: one}}\n`,
    'over.json': '{"session":{"cookie":{"domain":"b.example"}}}',
    'last.toml': '[selfservice]\nallowed_return_urls = ["http://c.example"]\n[session.cookie]\nname = "two"\n',
  })
  assert.deepEqual(
    { name: config.session.cookie.name, domain: config.session.cookie.domain, lifespan: config.session.lifespan },
    { name: 'two', domain: 'b.example', lifespan: 3_600_000 },
  )
  assert.deepEqual(config.selfservice.allowed_return_urls, ['http://c.example'])
})

test('the hash depends on the content alone', () => {
  const hash = (text: string) => load({ 'k.yml': BASE, 'l.yml': text }).hash
  assert.equal(hash('log: {level: info, format: json}'), hash('# other\nlog:\n  format: json\n  level: info\n'))
  assert.notEqual(hash('revision: a'), hash('revision: b'))
})

test('all problems are reported at once, each with file, line, path and reason', () => {
  const { problems: found, message } = problems({
    'base.yml': BASE,
    'k.yml': 'session:\n  lifespan: 7d\nsesion: {}\ncookies:\n  secure: true\nsecrets:\n  cookie: [tooshortsecret]\n',
    'l.toml': '[hashers.argon2]\nmemory = 131072\n',
  })
  assert.deepEqual(
    found.map(({ file, line, path, reason }) => `${file}:${line} ${path} ${reason}`),
    [
      'k.yml:2 session.lifespan does not match pattern "^([0-9]+(ns|us|ms|s|m|h))+$"',
      'k.yml:3 (root) additionalProperties "sesion" not allowed',
      'k.yml:5 cookies.secure expected string, but got boolean',
      'k.yml:7 secrets.cookie.0 length must be >= 16, but got 14',
      'l.toml:2 hashers.argon2.memory expected string, but got number',
    ],
  )
  assert.match(message, /session\.lifespan: 7d\n\^-- does not match pattern/)
  assert.match(message, /did you mean session\?/)
})

test('no secret appears in a message', () => {
  const secret = 'hunter2hunter2!'
  const { message } = problems({
    'k.yml': `dsn: [${secret}]\nsecrets: {cookie: [${secret}], cipher: [${secret}]}
courier: {smtp: {connection_uri: "${secret}"}}
selfservice: {methods: {oidc: {config: {providers: [{client_secret: [${secret}]}]}}}}
serve: {admin: {base_url: "http//u:${secret}@host", tls: {key: {base64: ["${secret}"]}}, x: ${secret}}}
session: {cookie: {domain: "https://u:${secret}@host;"}}`,
  })
  assert.ok(!message.replace(/^serve\.admin\.base_url.*\n.*$/m, '').includes(secret), message)
  const broken = problems({ 'k.yml': `secrets:\n  cookie:\n  - "${secret}\n` })
  assert.ok(!broken.message.includes(secret), broken.message)
  const toml = problems({ 'k.toml': `dsn = "${secret}\n` })
  assert.ok(!toml.message.includes(secret), toml.message)
})

test('a required key that is missing is named, also when nothing at all is given', () => {
  const paths = problems({}).problems.map(({ path }) => path)
  assert.deepEqual(paths, ['dsn', 'identity.schemas', 'selfservice.default_browser_return_url'])
})

test('a key given twice is refused with both lines', () => {
  const found = one('session:\n  lifespan: 1h\nlog: {}\nsession:\n  lifespan: 2h\n')
  assert.equal(found.reason, 'mapping key "session" already defined at line 1')
  assert.equal(found.line, 4)
})

test('syntax errors name the line', () => {
  assert.match(one('a: 1\n\tb: 2\n').reason, /^yaml: line 2: found a tab/)
  assert.match(problems({ 'k.json': '{"a": b}' }).message, /json: line 1/)
  assert.match(problems({ 'k.toml': 'a = 1\nb = = 2\n' }).message, /toml: line 2/)
  assert.match(problems({ 'k.yml': 'a: 1\n---\nb: 2\n' }).message, /more than one document/)
})

test('files that cannot be used', () => {
  assert.match(problems({ 'k.ini': '' }).message, /unknown config file extension/)
  assert.match(problems({ 'k.yml': '[1]' }).message, /expected object at the top/)
  const missing = () => loadConfig({ files: ['/nowhere/k.yml'], env: {}, flags: { dev: false } })
  assert.throws(missing, /\/nowhere\/k\.yml\n\^-- cannot be read: no such file/)
})

test('anchors and merge keys work, and lines are found through them', () => {
  const { config } = load({ 'base.yml': BASE, 'k.yml': 'session: &s\n  cookie: {name: a}\ncookies: {}\n' })
  assert.equal(config.session.cookie.name, 'a')
  const text =
    'serve:\n  public:\n    socket: &s\n      owner: me\n      mode: 900\n  admin:\n    socket:\n      <<: *s\n'
  const { problems: found } = problems({ 'base.yml': BASE, 'k.yml': text })
  assert.deepEqual(
    found.map(({ path, line }) => [path, line]),
    [
      ['serve.admin.socket.mode', 5],
      ['serve.public.socket.mode', 5],
    ],
  )
})

test('YAML reads 0755 as octal and no word but true and false as boolean', () => {
  assert.equal(
    load({ 'b.yml': BASE, 'k.yml': 'serve: {public: {socket: {mode: 0755}}}' }).config.serve.public.socket.mode,
    493,
  )
  assert.equal(one('selfservice: {methods: {password: {enabled: yes}}}').reason, 'expected boolean, but got string')
})

test('aliases cannot be used to exhaust the memory', () => {
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x]']
  for (let i = 1; i < 12; i++)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(',')}]`,
    )
  assert.match(problems({ 'k.yml': lines.join('\n') }).message, /aliases stand for too many values/)
})

test('what no value can be made of is refused with its line, and ends no process', () => {
  const refused: [text: string, line: number | undefined, reason: RegExp][] = [
    ['session: &a\n  cookie: *a\n', 2, /inside the value that it stands for/],
    ['organizations: &a [*a]\n', 1, /inside the value that it stands for/],
    ['session:\n  lifespan: *none\n', 2, /anchor that is not set/],
    ['session:\n  <<: 5\n', 2, /merges maps/],
    ['revision: !env REVISION\n', 1, /a tag that is not known/],
    ['session: !!omap [lifespan: 1h]\n', 1, /a tag that is not known/],
    ['log: {}\nrevision: "caf\ufffd"\n', 2, /not UTF-8/],
    [`x: ${'{a: '.repeat(50_000)}1${'}'.repeat(50_000)}\n`, undefined, /nested deeper/],
    ['serve: {public: {port: .inf}}\n', 1, /expected number, but got Infinity/],
  ]
  for (const [text, line, reason] of refused) {
    const found = one(text)
    assert.match(found.reason, reason)
    assert.equal(found.line, line, found.reason)
  }
  const list = `  allowed_return_urls:\n${'    - *url\n'.repeat(150)}`
  const often = BASE.replace('http://a.example/', '&url http://a.example/').replace(/ {2}allowed_return_urls.*\n/, list)
  assert.equal(load({ 'k.yml': often }).config.selfservice.allowed_return_urls.length, 150)
})

test('lines of TOML are found behind texts of several lines and in lists of tables', () => {
  const text = `revision = """
[session]
lifespan = "1h"
"""
[session]
lifespan = "bad"
[[lethe.events.webhooks]]
id = "shop"
url = "https://shop.example/"
secret = "sixteen letters."
[lethe.events.webhooks.headers]
x = 5
`
  const { problems: found } = problems({ 'base.yml': BASE, 'k.toml': text })
  assert.deepEqual(
    found.map(({ path, line }) => [path, line]),
    [
      ['session.lifespan', 6],
      ['lethe.events.webhooks.0.headers.x', 12],
    ],
  )
})

test('empty sections are refused', () => {
  assert.equal(one('session:\n').reason, 'expected object, but got null')
})

test('what would weaken security is refused', () => {
  assert.match(one('serve: {public: {tls: {key: {path: /k}}}}').reason, /half a TLS pair/)
})

test('general hooks that do not run for a method are named', () => {
  const hook = '[{hook: web_hook, config: {url: "http://h", method: POST}}]'
  const flows = `{login: {after: {hooks: ${hook}, password: {hooks: ${hook}}}}, registration: {after: {hooks: ${hook}}}}`
  const { warnings } = load({ 'b.yml': BASE, 'k.yml': `selfservice: {flows: ${flows}}` })
  const found = warnings.filter(({ code }) => code === 'hidden_hooks')
  assert.deepEqual(
    found.map(({ message, keys }) => [message, keys]),
    [
      [
        'the hooks of selfservice.flows.login.after.hooks do not run for methods that have hooks of their own',
        ['selfservice.flows.login.after.password.hooks'],
      ],
    ],
  )
})

test('a code that would outlive its flow is named', () => {
  const of = (lifespan: string) => `
selfservice:
  methods: {code: {enabled: true, config: {lifespan: ${lifespan}}}, link: {enabled: true, config: {lifespan: 24h}}}
  flows: {recovery: {enabled: true, lifespan: 2h}, verification: {enabled: true, use: code, lifespan: 30m}}`
  const named = (text: string) =>
    load({ 'b.yml': BASE, 'k.yml': text }).warnings.flatMap(({ code, message, keys }) =>
      code === 'short_flow' ? [[message.split(' ')[4], ...keys]] : [],
    )
  const key = 'selfservice.methods.code.config.lifespan'
  assert.deepEqual(named(of('3h')), [
    ['selfservice.flows.recovery.lifespan', key],
    ['selfservice.flows.verification.lifespan', key],
  ])
  assert.deepEqual(named(of('1h')), [['selfservice.flows.verification.lifespan', key]])
  assert.deepEqual(named(of('30m')), [])
})

test('keys that need each other', () => {
  assert.equal(one('identity: {default_schema_id: other}').path, 'identity.default_schema_id')
  assert.equal(one('ciphers: {algorithm: aes}').path, 'secrets.cipher')
  assert.equal(one('selfservice: {methods: {passkey: {enabled: true}}}').path, 'selfservice.methods.passkey.config')
})

test('without secrets random ones are made and a warning says so', () => {
  const { config, generatedSecrets, warnings } = load({ 'k.yml': BASE })
  assert.equal(generatedSecrets, true)
  assert.deepEqual(config.secrets.default, [Buffer.alloc(32, 7).toString('base64url')])
  assert.ok(warnings.some(({ code }) => code === 'generated_secrets'))
  const given = load({ 'k.yml': BASE }, { SECRETS_DEFAULT: 'a-secret-of-the-environment' })
  assert.equal(given.generatedSecrets, false)
  assert.ok(!given.warnings.some(({ code }) => code === 'generated_secrets'))
})

test('addresses that can never be used are named, those that people are sent to first are refused', () => {
  const text =
    'selfservice: {allowed_return_urls: [http://ok, "https://*", "::"], flows: {logout: {after: {default_browser_return_url: not a url}}}}'
  const { warnings } = load({ 'b.yml': BASE, 'k.yml': text })
  assert.deepEqual(warnings.find(({ code }) => code === 'unusable_value')?.keys, [
    'selfservice.allowed_return_urls.1',
    'selfservice.allowed_return_urls.2',
    'selfservice.flows.logout.after.default_browser_return_url',
  ])
  assert.equal(one('selfservice: {flows: {login: {ui_url: not a url}}}').path, 'selfservice.flows.login.ui_url')
})

test('commands on the database alone need the dsn alone', () => {
  const files: Files = { 'k.yml': 'lethe: {database: {lock_timeout: 1s}}\nsecrets: {cookie: [short]}\nunknown: 1\n' }
  const readFile = (name: string) => files[name]!
  const found = loadDsn({ files: ['k.yml'], env: { DSN: 'memory' }, readFile })
  assert.equal(found.dsn, 'memory')
  assert.equal(found.settings.lock_timeout, 1000)
  assert.equal(found.cleanup.batch_size, 100)
  assert.throws(() => loadDsn({ files: ['k.yml'], env: {}, readFile }), /dsn: <nil>/)
})

test('base addresses: the configured text untouched, else made from host and port', () => {
  const { config } = load({
    'b.yml': BASE,
    'k.yml': 'serve: {public: {base_url: "https://id.example/auth"}, admin: {host: 127.0.0.1}}',
  })
  assert.equal(publicBaseUrl(config, { dev: false }), 'https://id.example/auth')
  assert.equal(adminBaseUrl(config, { dev: true }), 'http://127.0.0.1:4434/')
  const plain = load({ 'b.yml': BASE }).config
  assert.equal(publicBaseUrl(plain, { dev: false, hostname: 'box' }), 'https://box:4433/')
})
