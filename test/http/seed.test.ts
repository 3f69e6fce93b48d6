import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { importAccount, nativeLogin } from '../helpers/accounts.ts'
import { testServer } from '../helpers/server.ts'

const script = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')
const HOST = 'https://playground.projects.oryapis.com'

/** The scripts of the documentation of the contract, as published: what they show must be what happens here. */
describe('the published logout scripts', () => {
  test('in a browser: an id before, null after', async (t) => {
    if (!toolsAreThere(t)) return
    const server = await testServer(t, { dev: true })
    // Without spaces: the script does not quote them.
    const [username, password] = ['somebody@example.org', 'Abend-im-Hafen-7']
    const identityId = await importAccount(server.adminUrl, username, password)

    const { stdout, stderr } = await bash(
      filledIn(script('seed-script.sh'), server.publicUrl, {
        username: 'myuser@ory.sh',
        password: 'mysecret',
        as: { username, password },
      }),
    )

    const lines = stdout.trimEnd().split('\n')
    const [before, after] = lines.splice(-2)
    const { session } = JSON.parse(lines.join('\n')) as { session: { id: string; identity: { id: string } } }
    assert.equal(session.identity.id, identityId)
    assert.equal(before, session.id)
    assert.equal(after, 'null')
    assert.equal(stderr, '')
  })

  test('in an app: 204 with the headers that are shown, and then the token is worth nothing', async (t) => {
    if (!toolsAreThere(t)) return
    const server = await testServer(t, { dev: true, config: { serve: { public: { cors: { enabled: false } } } } })
    await importAccount(server.adminUrl, 'somebody@example.org', 'correct horse battery')
    const token = await nativeLogin(server.publicUrl, 'somebody@example.org', 'correct horse battery')
    const text = script('seed-script-native.sh').replace('8ziz8oCx0dsgXnoJJgElTQ60cNnbohAr', token)

    const { stdout, stderr } = await bash(filledIn(text, server.publicUrl))

    assert.equal(stdout, '')
    const answer = stderr.split(/\r?\n/).filter((line) => line.startsWith('< '))
    assert.equal(answer[0], '< HTTP/1.1 204 No Content')
    const headers = new Map(answer.slice(1).map((line) => line.slice(2).toLowerCase().split(': ') as [string, string]))
    assert.equal(headers.get('cache-control'), 'private, no-cache, no-store, must-revalidate')
    assert.equal(headers.get('vary'), 'cookie')
    assert.ok(headers.has('date'))
    const whoami = await fetch(`${server.publicUrl}/sessions/whoami`, { headers: { 'x-session-token': token } })
    assert.equal(whoami.status, 401)
  })
})

describe('the script of the README', () => {
  test('makes an account, logs in and out: an id before, null after', async (t) => {
    if (!toolsAreThere(t)) return
    const server = await testServer(t, { dev: true })
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    const text = /```sh\n(P=http:\/\/127\.0\.0\.1:4433 A=http:\/\/127\.0\.0\.1:4434 .*?)```/s.exec(readme)?.[1]
    assert.ok(text, 'the README has no such script')
    const { stdout, stderr } = await bash(
      text.replace('http://127.0.0.1:4433', server.publicUrl).replace('http://127.0.0.1:4434', server.adminUrl),
    )
    const [identityId, ...rest] = stdout.trimEnd().split('\n')
    const [before, after] = rest.splice(-2)
    assert.match(identityId!, /^"[0-9a-f-]{36}"$/)
    assert.deepEqual(JSON.parse(rest.join('\n')), { email: 'ada@example.org' })
    assert.match(before!, /^"[0-9a-f-]{36}"$/)
    assert.deepEqual([after, stderr], ['null', ''])
  })
})

interface Account {
  username: string
  password: string
}

/** Nothing but the address and the account is changed. */
function filledIn(text: string, url: string, account?: Account & { as: Account }): string {
  assert.ok(text.includes(HOST))
  const there = text.replaceAll(HOST, url)
  if (account === undefined) return there
  const { username, password, as } = account
  assert.ok(there.includes(`username="${username}"`) && there.includes(`password="${password}"`))
  return there
    .replace(`username="${username}"`, `username="${as.username}"`)
    .replace(`password="${password}"`, `password="${as.password}"`)
}

/** The server runs in this process, so the script must not block it. */
function bash(text: string) {
  // curl would ask a configured proxy for 127.0.0.1.
  const { http_proxy: _1, HTTP_PROXY: _2, all_proxy: _3, ALL_PROXY: _4, ...env } = process.env
  return promisify(execFile)('bash', ['-c', text], { env, timeout: 60_000 })
}

function toolsAreThere(t: TestContext): boolean {
  const missing = ['bash', 'curl', 'jq'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined)
  if (missing.length === 0) return true
  const text = `not installed: ${missing.join(', ')}; the published scripts were NOT run`
  assert.ok(process.env.CI === undefined, text)
  console.warn(text)
  t.skip(text)
  return false
}
