import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { folder } from '../cli/folder.ts'
import { postgres, type Scope } from '../helpers/db.ts'
import { freePort } from '../helpers/free-port.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'

/** What `docs/events.md` tells people to copy, taken from there and run. */
const text = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8')
const blocks = new Map([...text.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)].map(([, name, code]) => [name!, code!]))

const has = (command: string) =>
  spawnSync(command, ['--version']).status === 0 || spawnSync(command, ['-v']).status === 0

async function example(t: Scope, name: string): Promise<string> {
  const file = `${await folder(t)}/${name}`
  await writeFile(file, blocks.get(name)!)
  return file
}

function run(t: Scope, command: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(async () => void child.kill('SIGKILL'))
  return child
}

async function node(t: Scope, config: Record<string, unknown> = {}): Promise<TestServer> {
  const server = await testServer(t, { backend: postgres, config })
  for (const work of server.deps.background) work.start()
  t.after(async () => {
    for (const work of server.deps.background) await work.stop()
  })
  return server
}

async function ended(server: TestServer): Promise<string> {
  const { session } = await signedIn(server)
  await server.deps.sessions.revoke(session, 'logout')
  return session.id
}

describe('docs/events.md', () => {
  for (const [name, command] of [
    ['receiver.mjs', process.execPath],
    ['receiver.py', 'python3'],
  ] as const) {
    test(`${name} takes what is signed, once, and nothing else`, {
      skip: !has(command) && `no ${command}`,
    }, async (t) => {
      const port = await freePort()
      const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
      const url = `http://127.0.0.1:${port}/`
      const child = run(t, command, [await example(t, name)], { PORT: String(port), WEBHOOK_SECRET: secret })
      const post = (headers: Record<string, string> = {}) => fetch(url, { method: 'POST', body: '{}', headers })
      await until(() => post().catch(() => false as const), name)
      assert.equal((await post()).status, 401)
      const stamp = String(Math.floor(Date.now() / 1000))
      const forged = { 'webhook-id': 'x', 'webhook-timestamp': stamp, 'webhook-signature': 'v1,AAAA v2,x v1,' }
      assert.equal((await post(forged)).status, 401)
      const server = await node(t, { lethe: { events: { webhooks: [{ id: 'it', url, secret }] } } })
      let said = ''
      child.stdout!.on('data', (chunk) => {
        said += chunk
      })
      const lines = async (count: number) => {
        while (said.split('\n').length <= count) await once(child.stdout!, 'data')
        return said.trimEnd().split('\n')
      }
      const session = await ended(server)
      await lines(1)
      // sent again, with the same ids: nothing is to come of it, but of the next one
      const again = { method: 'POST', body: '{"which":"all"}' }
      await fetch(`${server.adminUrl}/admin/events/webhooks/it/replay`, again)
      const next = await ended(server)
      assert.deepEqual(
        await lines(2),
        [session, next].map((id) => `close everything of session ${id} (logout)`),
      )
    })
  }

  test('deny-list.mjs keeps a map of ended sessions', async (t) => {
    const server = await node(t)
    const before = await ended(server)
    const map = `${await folder(t)}/ended.map`
    const url = `${server.adminUrl}/admin/sessions/revocations`
    run(t, process.execPath, [await example(t, 'deny-list.mjs'), url, map])
    const holds = async (...ids: string[]) => {
      const wanted = ids
        .sort()
        .map((id) => `"${id}" 1;\n`)
        .join('')
      await until(() => existsSync(map) && readFileSync(map, 'utf8') === wanted, wanted)
    }
    await holds(before)
    await holds(before, await ended(server))
  })

  test('nginx with that map refuses tokens of ended sessions', async (t) => {
    if (!has('nginx')) {
      console.error('SKIPPED: nginx is not installed (Debian: apt-get install nginx-light)')
      t.skip('nginx is not installed')
      return
    }
    const server = await node(t)
    const at = await folder(t)
    const behind = createHttpServer((_, response) => response.end('inside')).listen(0, '127.0.0.1')
    t.after(() => void behind.close())
    await once(behind, 'listening')
    const port = await freePort()
    const block = blocks
      .get('nginx.conf')!
      .replace('listen 8080', `listen 127.0.0.1:${port}`)
      .replace('127.0.0.1:9000', `127.0.0.1:${(behind.address() as AddressInfo).port}`)
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${at}/${name};`)
    // what checks tokens is not nginx's own; here whoever asks is believed
    const claim = 'map $http_x_sid $jwt_claim_sid { default $http_x_sid; }'
    const main = `daemon off; pid ${at}/pid; error_log stderr crit; events {}`
    await writeFile(`${at}/nginx.conf`, `${main}\nhttp {\naccess_log off; ${temp.join(' ')}\n${claim}\n${block}}\n`)
    await writeFile(`${at}/ended.map`, '')
    const asked = ['-p', at, '-c', `${at}/nginx.conf`, '-e', 'stderr']
    const child = spawn('nginx', asked, { stdio: ['ignore', 'ignore', 'inherit'] })
    const over = once(child, 'exit')
    t.after(async () => {
      child.kill('SIGTERM')
      await over
    })
    const url = `${server.adminUrl}/admin/sessions/revocations`
    run(t, process.execPath, [
      await example(t, 'deny-list.mjs'),
      ...[url, `${at}/ended.map`, 'nginx', ...asked, '-s', 'reload'],
    ])
    const [leaving, staying] = [await signedIn(server), await signedIn(server)]
    const ask = async (sid: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-sid': sid } }).catch(() => undefined)
      return answer && [answer.status, answer.status === 200 && (await answer.text())]
    }
    const answers = (sid: string, status: number) => until(async () => (await ask(sid))?.[0] === status, String(status))
    await answers(leaving.session.id, 200)
    assert.deepEqual(await ask(staying.session.id), [200, 'inside'])
    await server.deps.sessions.revoke(leaving.session, 'logout')
    await answers(leaving.session.id, 401)
    assert.deepEqual(await ask(staying.session.id), [200, 'inside'])
  })

  test('names every type and cause', async () => {
    const { END_CAUSES, EVENT_TYPES } = await import('../../src/events/types.ts')
    for (const word of [...END_CAUSES, ...EVENT_TYPES]) assert.ok(text.includes(`| \`${word}\` |`), word)
  })
})
