import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, loadConfig } from '../../../src/config/load.ts'
import { originAsSent } from '../../../src/config/origins.ts'
import { UNVERIFIABLE, VERIFIABLE } from '../../helpers/webhook-secrets.ts'

const BASE = {
  dsn: 'memory',
  selfservice: { default_browser_return_url: 'http://a.example/' },
  identity: { schemas: [{ id: 'default', url: 'base64://e30=' }] },
}
type Tree = Record<string, unknown>

function load(tree: Tree) {
  const readFile = () => JSON.stringify({ ...BASE, ...tree })
  return loadConfig({ files: ['k.json'], env: {}, flags: { dev: false }, readFile, random: (n) => Buffer.alloc(n, 7) })
}

/** Paths of what is refused. */
function refused(tree: Tree): string[] {
  try {
    load(tree)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems.map(({ path }) => path)
  }
}

test('origins and names that could never fit a request to the admin port are refused', () => {
  for (const origin of ['https://tools.example/', 'https://tools.example:443', '*', 'tools.example', 'null'])
    assert.deepEqual(refused({ lethe: { admin: { allowed_origins: [origin] } } }), ['lethe.admin.allowed_origins.0'])
  for (const name of ['https://lethe.example', 'lethe.example:4434', '*', 'a.*.example', '*.', ''])
    assert.deepEqual(refused({ lethe: { admin: { allowed_hosts: [name] } } }), ['lethe.admin.allowed_hosts.0'])
  const admin = { allowed_origins: ['HTTPS://Tools.Example:8443'], allowed_hosts: ['LETHE.example', '*.corp.example'] }
  assert.deepEqual(load({ lethe: { admin } }).config.lethe.admin, {
    allowed_origins: ['https://tools.example:8443'],
    allowed_hosts: ['lethe.example', '*.corp.example'],
  })
})

test('lengths of Argon2id that no hash can have are refused at the start, not at the first sign-up', () => {
  for (const name of ['iterations', 'salt_length', 'key_length'])
    assert.deepEqual(refused({ hashers: { argon2: { [name]: 2 ** 32 } } }), [`hashers.argon2.${name}`])
})

const receiver = { id: 'shop', url: 'https://shop.example/', secret: 'sixteen letters.' }
const receivers = (change: Tree, more: Tree = {}) => ({
  lethe: { events: { webhooks: [{ ...receiver, ...change }], ...more } },
})
const events = (tree: Tree) => ({ lethe: { events: tree } })

test('a secret that no receiver could verify with is refused by the configuration, with a reason', () => {
  for (const secret of UNVERIFIABLE) {
    assert.deepEqual(refused(receivers({ secret })), ['lethe.events.webhooks.0.secret'], JSON.stringify(secret))
    const previous = refused(receivers({ previous_secrets: [secret] }))
    assert.deepEqual(previous, ['lethe.events.webhooks.0.previous_secrets.0'], JSON.stringify(secret))
    assert.throws(
      () => load(receivers({ previous_secrets: [secret] })),
      (error: Error) => !error.message.includes(secret),
    )
  }
  for (const secret of VERIFIABLE) assert.deepEqual(refused(receivers({ secret })), [], secret)
})

test('what a delivery could never be sent with is refused', () => {
  for (const [member, values] of Object.entries({
    url: [
      'http://',
      'http:///x',
      'https://[::1/',
      'http://a:99999/',
      'http://a:0/',
      'ftp://a/',
      'http://a b/',
      'http://a/ ',
    ].concat(['http://%zz@a/', 'http://u:%@a/', 'http://a/\n', 'HTTPS://a/', 'http://1.2.3.400/', 'a.example']),
    events: [['session.end'], ['session.ended', 'Session.Created'], [''], []],
    headers: [
      ...[{ 'bad name': 'x' }, { '': 'x' }, { 'x-a': 'a\nb' }, { 'x-a': '\u20ac' }, { 'Content-Type': 'text/plain' }],
      ...[
        { 'Content-Length': '1' },
        { 'transfer-encoding': 'chunked' },
        { 'Webhook-Id': 'x' },
        { 'X-A': '1', 'x-a': '2' },
      ],
    ],
    timeout: ['0s', '99ms', '61s', '1h', '600h'],
  }))
    for (const value of values) {
      const [path = 'none', ...others] = refused(receivers({ [member]: value }))
      assert.ok(
        path.startsWith(`lethe.events.webhooks.0.${member}`) && others.length === 0,
        JSON.stringify([value, path]),
      )
    }
  for (const good of [
    ...[
      { url: 'http://u:p%20q@[::1]:8080/a?b#c' },
      { url: 'https://m\u00fcller.example' },
      { events: ['*', 'session.resumed'] },
    ],
    ...[{ headers: { Authorization: 'Bearer x', host: 'inside.example' } }, { timeout: '100ms' }, { timeout: '60s' }],
  ])
    assert.deepEqual(refused(receivers(good)), [], JSON.stringify(good))
})

test('values that contradict each other, or the life of what they guard, are refused', () => {
  const session = (ttl: string) => ({
    session: { whoami: { tokenizer: { templates: { api: { ttl, jwks_url: 'base64://e30=' } } } } },
  })
  const window = (text: string) => events({ revocations: { window: text } })
  assert.deepEqual(refused({ ...session('10m'), ...window('9m') }), ['lethe.events.revocations.window'])
  assert.deepEqual(refused({ ...session('10m'), ...window('10m') }), ['lethe.events.revocations.window'])
  assert.deepEqual(refused({ ...session('10m'), ...window('11m') }), [])
  assert.deepEqual(refused({ ...session('2h'), ...events({ retention: '1h' }) }), ['lethe.events.retention'])
  assert.deepEqual(refused(events({ retention: '1h', revocations: { window: '2h' } })), ['lethe.events.retention'])
  const delivery = { give_up_after: '1h', max_pause: '2h' }
  assert.deepEqual(refused(events({ delivery })), ['lethe.events.delivery.max_pause'])
  assert.deepEqual(refused(events({ delivery: { give_up_after: '5m' } })), [])
  assert.deepEqual(refused(events({ retention: '1h', delivery: { give_up_after: '2h' } })), ['lethe.events.retention'])
  const twice = { previous_secrets: ['another of sixteen', receiver.secret] }
  assert.deepEqual(refused(receivers(twice)), ['lethe.events.webhooks.0.previous_secrets.1'])
  const clients = (...exceptions: string[]) => ({
    clients: { http: { disallow_private_ip_ranges: true, private_ip_exception_urls: exceptions } },
  })
  for (const url of ['http://10.1.2.3/hook', 'http://[::1]/hook', 'http://[64:ff9b::7f00:1]/hook']) {
    assert.deepEqual(refused({ ...clients(), ...receivers({ url }) }), ['lethe.events.webhooks.0.url'])
    assert.deepEqual(refused({ ...clients(url), ...receivers({ url }) }), [])
  }
})

test('no key of Lethe that a timer waits for takes what a timer cannot wait', () => {
  for (const [path, text] of [
    ...[
      ['events.poll_interval', '0s'],
      ['events.poll_interval', '600h'],
      ['events.delivery.max_pause', '0s'],
    ],
    ...[
      ['gc.interval', '0s'],
      ['gc.interval', '720h'],
      ['http.drain_delay', '1000h'],
      ['http.request_timeout', '600h'],
    ],
    ...[
      ['database.lock_timeout', '600h'],
      ['http.response_timeout', '600h'],
      ['http.max_event_loop_delay', '600h'],
    ],
  ] as [string, string][]) {
    const tree = path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), text)
    assert.deepEqual(refused({ lethe: tree }), [`lethe.${path}`], text)
  }
})

test('an origin that no browser sends is told, and matched where its meaning is clear', () => {
  const KEY = 'serve.public.cors.allowed_origins.0'
  const told = (origin: string) =>
    load({ serve: { public: { cors: { enabled: true, allowed_origins: [origin] } } } })
      .warnings.filter(({ keys }) => keys.includes(KEY))
      .map(({ message }) => message)
  for (const [origin, sent] of [
    ...[
      ['http://app.example/', 'http://app.example'],
      ['https://app.example:443', 'https://app.example'],
    ],
    ...[
      ['http://app.example:80/', 'http://app.example'],
      ['https://*.app.example/', 'https://*.app.example'],
    ],
    ...[
      ['https://*.app.example:443', 'https://*.app.example'],
      ['https://app.example/*', 'https://app.example'],
    ],
    ...[
      ['https://m\u00fcller.example', 'https://xn--mller-kva.example'],
      ['https://*.m\u00fcller.example', 'https://*.xn--mller-kva.example'],
    ],
    ...[['capacitor://localhost/', 'capacitor://localhost']],
  ] as [string, string][]) {
    assert.equal(originAsSent(origin), sent, origin)
    const [message = '', ...more] = told(origin)
    assert.ok(message.includes(`as ${sent}:`) && more.length === 0, `${origin}: ${message}`)
  }
  for (const origin of [
    'https://app.example/path',
    'https://u@app.example',
    'https://app.example?x',
    'https://*.app.example/x',
  ]) {
    assert.equal(originAsSent(origin), undefined, origin)
    assert.match(told(origin).join(), /^not an origin .*nothing matches$/, origin)
  }
  for (const origin of [
    ...['*', 'https://app.example', 'https://*.app.example', 'http://app.example:8080', 'https://*'],
    ...['chrome-extension://abcdef', 'http://[::1]:3000', 'https://app.example:80', 'http://127.0.0.1:4455'],
  ]) {
    assert.equal(originAsSent(origin), origin)
    assert.deepEqual(told(origin), [], origin)
  }
})

/** Pages, and for which ids of relying parties browsers take keys on them. */
const KEY_PAGES: [url: string, id: string, works: boolean][] = [
  ['https://login.example.com/ui/login', 'login.example.com', true],
  ['https://login.example.com/ui/login', 'Example.com', true],
  ['https://login.example.com/ui/login', 'other.example.com', false],
  ['https://badexample.com/', 'example.com', false],
  ['http://login.example.com/', 'example.com', false],
  ['https://192.0.2.7/', '192.0.2.7', false],
  ['https://[2001:db8::1]/', '[2001:db8::1]', false],
  ['http://127.0.0.1:4455/', 'localhost', false],
  ['http://localhost:4455/', 'localhost', true],
  ['http://app.localhost:4455/', 'localhost', true],
]

test('pages on which browsers refuse every key are named with the key that they are for', () => {
  for (const [url, id, works] of KEY_PAGES) {
    const rp = { id, display_name: 'Example' }
    const selfservice = {
      ...BASE.selfservice,
      methods: { webauthn: { enabled: true, config: { rp } }, passkey: { enabled: false, config: { rp } } },
      flows: { login: { ui_url: url } },
    }
    const found = load({ selfservice }).warnings.filter(({ message }) => message.includes('browsers refuse keys'))
    const keys = [['selfservice.methods.webauthn.config.rp.id', 'selfservice.flows.login.ui_url']]
    assert.deepEqual(
      found.map((warning) => warning.keys),
      works ? [] : keys,
      `${id} at ${url}`,
    )
    for (const { message } of found) assert.ok(message.includes(url) && message.includes(id), message)
  }
})

test('a password that is enough to change second factors is warned of', () => {
  const codesOf = (required_aal: string, enabled: boolean) =>
    load({
      selfservice: {
        ...BASE.selfservice,
        methods: { totp: { enabled } },
        flows: { settings: { required_aal } },
      },
    }).warnings.map(({ code }) => code)
  assert.ok(codesOf('aal1', true).includes('weak_setting'))
  assert.ok(!codesOf('highest_available', true).includes('weak_setting'))
  assert.ok(!codesOf('aal1', false).includes('weak_setting'))
})

test('the start names a second factor that comes by the mailbox of the first', () => {
  const sms = { id: 'sms', request_config: { url: 'https://sms.example.com/' } }
  const warns = (code: object, recovery: boolean, channels: object[]) =>
    load({
      courier: { channels },
      selfservice: { ...BASE.selfservice, methods: { code }, flows: { recovery: { enabled: recovery } } },
    }).warnings.some(({ keys }) => keys.includes('selfservice.methods.code.mfa_enabled'))
  const mfa = { mfa_enabled: true }
  assert.equal(warns(mfa, true, []), true)
  assert.equal(warns(mfa, false, []), false)
  assert.equal(warns(mfa, true, [sms]), false)
  assert.equal(warns({ mfa_enabled: false }, true, []), false)
})

test('a rule for a provider that is not configured, and one that nobody could fit, are refused', () => {
  const rules = (...providers: object[]) => refused({ lethe: { providers } })
  assert.deepEqual(rules({ id: 'entra', require_iss: true }), ['lethe.providers.0.id'])
  for (const allowed_tenants of [[], ['common'], ['example.com']])
    assert.ok(rules({ id: 'entra', allowed_tenants })[0]?.startsWith('lethe.providers.0.allowed_tenants'))
})
