import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, createPerson } from '../helpers/client.ts'
import { createDatabase, openAt } from '../helpers/db.ts'
import { testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { type Child, serverProcess } from './storm.ts'

/** Longer than the time limits of the server under test. */
const PAUSE_MS = 6000
const LIMITS = {
  http: { response_timeout: '5s', max_event_loop_delay: '1s' },
  database: { acquire_timeout: '5s', statement_timeout: '5s' },
  limits: { login: { per_identifier: 0, per_address: 0 } },
}
const AT_ONCE = 4

/** Checks a session and signs in, again and again, until told to stop; counts the answers by status. */
async function load(child: Child, headers: Record<string, string>, email: string, stopped: () => boolean) {
  const statuses = new Map<string, number>()
  const count = (what: string, status: number) =>
    statuses.set(`${what} ${status}`, (statuses.get(`${what} ${status}`) ?? 0) + 1)
  const client = new Client({ publicUrl: child.url, adminUrl: '' })
  const check = async () => {
    while (!stopped()) count('whoami', (await client.get('/sessions/whoami', headers)).status)
  }
  const login = async () => {
    while (!stopped()) {
      const flow = await client.get('/self-service/login/api')
      if (flow.status !== 200) {
        count(`flow ${flow.text}`, flow.status)
        continue
      }
      const json = { method: 'password', identifier: email, password: 'wrong-password-1' }
      count('login', (await client.send('POST', flow.body.ui.action, { json })).status)
    }
  }
  await Promise.all([...Array.from({ length: AT_ONCE }, check), login()])
  return statuses
}

test('a pause is no overload: requests that waited through it are answered, under load and idle', async (t) => {
  const dsn = await createDatabase(t, { migrated: true })
  const beside = await testServer(t, { db: await openAt(t, dsn) })
  const { headers } = await signedIn(beside)
  const { email } = await createPerson(beside)
  const child = await serverProcess(t, dsn, LIMITS)
  await child.ready()

  let stopped = false
  const answers = load(child, headers, email, () => stopped)
  for (let i = 0; i < 2; i++) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    await child.pause(PAUSE_MS)
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  stopped = true
  const statuses = await answers
  assert.deepEqual([...statuses.keys()].sort(), ['login 400', 'whoami 200'], JSON.stringify([...statuses]))

  await child.pause(PAUSE_MS)
  const whoami = await Promise.all(
    Array.from({ length: AT_ONCE }, () => fetch(`${child.url}/sessions/whoami`, { headers })),
  )
  assert.deepEqual(new Set(whoami.map(({ status }) => status)), new Set([200]))
})
