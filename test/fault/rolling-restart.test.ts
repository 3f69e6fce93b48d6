import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase, openAt } from '../helpers/db.ts'
import { haproxyVersion, startHaproxy } from '../helpers/haproxy.ts'
import { testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'
import { RUNS, serverProcess } from './storm.ts'

/** Longer than HAProxy takes to notice, see `startHaproxy`: three probes. */
const FLAGS = ['--drain-delay', '3s']

test('a rolling restart behind HAProxy fails no request', {
  skip: haproxyVersion ? false : 'no haproxy',
}, async (t) => {
  const dsn = await createDatabase(t, { migrated: true })
  const nodes = [await serverProcess(t, dsn, {}, FLAGS), await serverProcess(t, dsn, {}, FLAGS)]
  await Promise.all(nodes.map((node) => node.ready()))
  const haproxy = await startHaproxy(
    t,
    nodes.map(({ url }) => url),
  )
  const beside = await testServer(t, { db: await openAt(t, dsn) })
  const { identity } = (await signedIn(beside)).session
  const headers = (await signedIn(beside, identity)).headers
  const answers = new Map<string, number>()
  let over = false
  const note = (what: string) => answers.set(what, (answers.get(what) ?? 0) + 1)
  const ask = async (what: string, path: string, init: RequestInit) => {
    const said = await fetch(`${haproxy.url}${path}`, init).then(
      async (answer) => [answer.status, await answer.text()].slice(0, answer.ok ? 1 : 2).join(' '),
      (error: Error) => `${error.message}: ${(error.cause as Error)?.message}`,
    )
    note(`${what} ${said}`)
  }
  const client = async () => {
    while (!over) {
      await ask('whoami', '/sessions/whoami', { headers })
      const { token } = await signedIn(beside, identity)
      const json = { 'content-type': 'application/json' }
      const body = JSON.stringify({ session_token: token })
      await ask('logout', '/self-service/logout/api', { method: 'DELETE', headers: json, body })
    }
  }
  const clients = [client(), client(), client()]
  for (let run = 0; run < RUNS; run += 1) {
    for (const node of nodes) {
      await node.stop()
      assert.equal(await haproxy.ready(), 1)
      node.startAgain()
      await until(async () => (await haproxy.ready()) === nodes.length, 'both nodes')
    }
  }
  over = true
  await Promise.all(clients)
  assert.deepEqual([...answers.keys()].sort(), ['logout 204', 'whoami 200'], JSON.stringify([...answers]))
  t.diagnostic(`restarts ${nodes.length * RUNS}, ${JSON.stringify([...answers])}`)
})
