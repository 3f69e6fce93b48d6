import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { createDatabase, openAt } from '../helpers/db.ts'
import { openWriter } from '../helpers/open-writer.ts'
import { testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { runHere } from './in-process.ts'
import { start } from './run.ts'

describe('events tail', () => {
  it('shows the last ones, oldest first', async (t) => {
    const server = await testServer(t)
    const one = await signedIn(server)
    await server.deps.sessions.revoke(one.session, 'logout')
    const tail = (...args: string[]) => runHere(['events', 'tail', '-e', server.adminUrl, ...args])
    const { code, stdout } = await tail()
    assert.equal(code, 0)
    assert.match(stdout, /^TIME\t+EVENT.*\n.*session\.created.*\n.*session\.ended\tlogout\t/)
    const json = JSON.parse((await tail('--format', 'json', '--type', 'session.ended')).stdout)
    assert.deepEqual(
      json.map(({ session_id }: { session_id: string }) => session_id),
      [one.session.id],
    )
    assert.equal((await tail('-n', '1', '-q')).stdout, `${json[0].id}\n`)
    assert.equal((await tail('--session', '11111111-2222-4333-8444-555555555555')).stdout.split('\n').length, 2)
    assert.equal((await tail('--type', 'nonsense')).code, 1)
    assert.equal((await tail('-n', 'many')).code, 1)
    assert.equal((await runHere(['events', 'tail', '-f', '-e', 'http://127.0.0.1:2'])).code, 1)
  })

  it('follows until it is stopped', async (t) => {
    const server = await testServer(t)
    const one = await signedIn(server)
    const { child, ended } = start(['events', 'tail', '--follow', '-e', server.adminUrl])
    let shown = ''
    const lines = async (count: number) => {
      while (shown.split('\n').length <= count) shown += (await once(child.stdout!, 'data'))[0]
    }
    await lines(1)
    await server.deps.sessions.revoke(one.session, 'revoked_by_admin')
    await lines(2)
    assert.match(shown, new RegExp(`session.created\\t\\t${one.session.id}.*\\n.*revoked_by_admin\\t${one.session.id}`))
    child.kill('SIGINT')
    assert.deepEqual([(await ended).code, (await ended).stderr], [0, ''])
  })
})

describe('events status', () => {
  it('shows who holds the log back, and the receivers', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const server = await testServer(t, { db: await openAt(t, url) })
    const json = { id: 'shop', url: 'http://127.0.0.1:2/', events: ['*'] }
    const headers = { 'content-type': 'application/json' }
    const added = { method: 'POST', headers, body: JSON.stringify(json) }
    assert.equal((await fetch(`${server.adminUrl}/admin/events/webhooks`, added)).status, 201)
    const status = (...args: string[]) => runHere(['events', 'status', '-e', server.adminUrl, ...args])
    const before = await status()
    assert.equal(before.code, 0, before.stderr)
    assert.match(before.stdout, /^NAME\t+PLACE.*\n\(log\)\t+[0-9a-f]{8}\.0\t+0\t+0\.0\t.*\nshop\t/)
    assert.doesNotMatch(before.stdout, /pid/)
    const { pid, commit } = await openWriter(t, url, server.deps.meta.nid)
    await signedIn(server)
    assert.match(
      (await status()).stdout,
      new RegExp(`\\(log\\).*pid ${pid}, "nightly \\\\"job\\\\"", open for [0-9.]+ s`),
    )
    const held = JSON.parse((await status('--format', 'json')).stdout)
    assert.deepEqual([held.oldest_transaction.pid, held.behind_events, held.receivers[0].lag_events], [pid, 2, 2])
    await commit()
    assert.equal((await status('-q')).stdout, 'shop\n')
    assert.equal((await runHere(['events', 'status', '-e', 'http://127.0.0.1:2'])).code, 1)
  })
})
