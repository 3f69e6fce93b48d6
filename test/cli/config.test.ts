import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { Scope } from '../helpers/db.ts'
import { mailbox } from '../helpers/mailbox.ts'
import { WIRE_CONFIGS } from '../helpers/server.ts'
import { folder } from './folder.ts'
import { runHere } from './in-process.ts'

const SECRET = 'a-secret-that-nobody-may-see'

async function files(t: Scope) {
  const dir = await folder(t)
  const text = JSON.stringify({
    dsn: 'postgres://u:hunter2@db/lethe',
    secrets: { cookie: [SECRET] },
    ...WIRE_CONFIGS.default,
  })
  const [base, own] = [`${dir}/kratos.json`, `${dir}/lethe.yaml`]
  await writeFile(base, text.replace(/\{\{(public|admin)\}\}/g, 'http://127.0.0.1:1234'))
  await writeFile(own, 'session:\n  lifespan: 5h\nlethe:\n  gc:\n    interval: 2m\n')
  return { base, own }
}

describe('config', () => {
  it('validate says yes, also to files without --config', async (t) => {
    const { base, own } = await files(t)
    const { code, stdout } = await runHere(['config', 'validate', '-c', base, own])
    assert.deepEqual([code, stdout], [0, 'The configuration is valid.\n'])
  })

  it('validate tells every problem with its place', async (t) => {
    const { base, own } = await files(t)
    await writeFile(own, 'session:\n  lifespan: forever\nnosuch: 1\n')
    const { code, stdout, stderr } = await runHere(['config', 'validate', '-c', `${base},${own}`])
    assert.deepEqual([code, stdout], [1, ''])
    assert.ok(stderr.includes(`${own}:2`) && stderr.includes(`${own}:3`), stderr)
  })

  it('validate reads the identity schemas too', async (t) => {
    const { base, own } = await files(t)
    await writeFile(own, 'identity:\n  schemas:\n    - id: default\n      url: file:///nowhere/schema.json\n')
    const { code, stderr } = await runHere(['config', 'validate', base, own])
    assert.equal(code, 1)
    assert.match(stderr, /identity\.schemas\[0\].*cannot be read: no such file/)
  })

  it('validate reads certificates and the address of the database too, as serve does', async (t) => {
    const { base, own } = await files(t)
    const tls = { SERVE_PUBLIC_TLS_CERT_PATH: '/nowhere/cert.pem', SERVE_PUBLIC_TLS_KEY_PATH: '/nowhere/key.pem' }
    const wrong: [env: Record<string, string>, said: RegExp][] = [
      [tls, /serve\.public\.tls\.cert\.path: \/nowhere\/cert\.pem cannot be read/],
      [{ DSN: 'mysql://db/lethe' }, /MySQL .* is not supported/],
    ]
    for (const [env, said] of wrong) {
      const { code, stdout, stderr } = await runHere(['config', 'validate', base, own], { env })
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, said)
    }
  })

  it('show tells each value with its origin, and no secret', async (t) => {
    const { base, own } = await files(t)
    const env = { SESSION_WHOAMI_REQUIRED_AAL: 'aal1', COURIER_SMTP_CONNECTION_URI: `smtp://x:${SECRET}@mail` }
    const { code, stdout, stderr } = await runHere(['config', 'show', base, own], { env })
    assert.deepEqual([code, stderr], [0, ''])
    assert.ok(stdout.includes(`lifespan: 5h # ${own}:2\n`), stdout)
    assert.ok(stdout.includes('required_aal: aal1 # environment variable SESSION_WHOAMI_REQUIRED_AAL\n'))
    assert.match(stdout, /dsn: "?\[redacted\]"? #/)
    assert.ok(!stdout.includes(SECRET) && !stdout.includes('hunter2'))
    assert.ok(!stdout.includes('# default'))
  })

  it('show --defaults adds what is not set', async (t) => {
    const { base, own } = await files(t)
    const { stdout } = await runHere(['config', 'show', base, own, '--defaults'])
    assert.match(stdout, / {4}interval: 2m # .*lethe\.yaml:5\n/)
    assert.match(stdout, / {4}session_retention: 24h # default\n/)
    const query = await runHere(['config', 'show', base, '--defaults', '--format', 'jsonpath=serve.public.port'])
    assert.equal(query.stdout, '4433\n')
    const table = await runHere(['config', 'show', base, '--format', 'table'])
    assert.match(table.stdout, /^dsn: /)
  })

  it('schema prints the JSON schema', async () => {
    const { stdout } = await runHere(['config', 'schema'])
    assert.ok('serve' in JSON.parse(stdout).properties)
  })
})

describe('courier test', () => {
  it('sends one mail and tells what the server says, without a database', async (t) => {
    const box = await mailbox(t, { refuse: (to) => (to === 'no@example.com' ? [550, 'no such user'] : undefined) })
    const { base, own } = await files(t)
    const uri = `smtp://127.0.0.1:${box.port}/?disable_starttls=true`
    await writeFile(own, `courier:\n  smtp:\n    connection_uri: ${uri}\n`)
    const sent = await runHere(['courier', 'test', 'ida@example.com', '-c', `${base},${own}`])
    assert.deepEqual([sent.code, sent.stdout, sent.stderr], [0, 'The message was accepted for ida@example.com.\n', ''])
    assert.deepEqual(
      box.mails.map(({ to, headers }) => [to, headers.get('subject')]),
      [['ida@example.com', 'Test of the courier']],
    )
    const refused = await runHere(['courier', 'test', 'no@example.com', '-c', `${base},${own}`])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /^Error: the message was not sent: .*550 no such user/)
    const none = await runHere(['courier', 'test', '--sms', '+49301234567', '-c', `${base},${own}`])
    assert.match(none.stderr, /not configured/)
  })
})
