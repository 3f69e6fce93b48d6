import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { type Clock, parseTime } from '../../src/kernel/base/clock.ts'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { Client, type Reply } from '../helpers/client.ts'
import { closingScope, openKratos } from '../helpers/db.ts'
import { type Mailbox, mailbox } from '../helpers/mailbox.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'

interface Entry {
  why: string
  request: { method: string; path: string; json?: object; headers?: Record<string, string> }
  expect: { status: number; location?: string; sets_session_cookie: boolean; body?: Record<string, any> }
}

interface Facts {
  config: Record<string, any>
  identities: Record<string, { id: string; email: string }>
  entries: Record<string, Entry>
  identities_after: Record<string, { state: string; addresses: [string, boolean, string][] }>
  courier_messages: { queued: { id: string; recipient: string; code: string } }
}

/** What belongs to `live-recovery.sql`: secrets, codes and the answers that Kratos gave. */
const LIVE: Facts = JSON.parse(readFileSync(new URL('../fixtures/live-recovery.json', import.meta.url), 'utf8'))
const DATA = readFileSync(new URL('../fixtures/live-recovery.sql', import.meta.url), 'utf8')

/** Hours after the recording: the flows and codes that were meant to live have twenty years. */
const clock: Clock = { now: () => parseTime('2026-11-27T12:00:00Z') }

const AFTER = sql(
  'test.addresses_after',
  `select i.id, i.state, a.value, a.verified, a.status from identities i
  join identity_verifiable_addresses a on a.identity_id = i.id order by a.value`,
)
const MESSAGE = sql('test.message', 'select status from courier_messages where id = $1')

describe('recoveries, verifications and sign-ins by code that were begun at Kratos', () => {
  const scope = closingScope()
  let db: Db
  let server: TestServer
  let mails: Mailbox
  before(async () => {
    db = await openKratos(scope)
    await db.script(`truncate networks, identity_credential_types cascade; ${DATA}`)
    await migrateUp(db)
    mails = await mailbox(scope)
    // Answers are the contract here; messages are sent by a node of their own below.
    server = await testServer(scope, { db, base: LIVE.config, words: { smtp: '127.0.0.1:9' }, clock })
  })
  after(() => scope.close())

  const shaped = (text: string | null) => text?.replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, '<uuid>')
  const isSignedIn = ({ setCookie }: Reply) => setCookie.some((line) => /^ory_kratos_session=[^;]/.test(line))

  function assertBody({ body }: Reply, wanted: Record<string, any>): void {
    const { error, state, messages, redirect_browser_to: to, identity_id: identity, aal, methods } = wanted
    if (error) for (const [name, value] of Object.entries(error)) assert.equal(body.error[name], value)
    if (to) assert.equal(shaped(body.redirect_browser_to), to)
    if (state) assert.equal(body.state, state)
    if (messages)
      assert.deepEqual(
        (body.ui.messages ?? []).map(({ id }: { id: number }) => id),
        messages,
      )
    if (methods) {
      const { session } = body
      assert.deepEqual(
        [session.authenticator_assurance_level, session.authentication_methods.map((one: any) => one.method)],
        [aal, methods],
      )
      if (identity !== '<uuid>') assert.equal(session.identity.id, identity)
    }
  }

  for (const [name, { why, request, expect }] of Object.entries(LIVE.entries)) {
    test(`${name}: ${why}`, async () => {
      const { method, path, json, headers = {} } = request
      const reply = await new Client(server).send(method, path, { headers, ...(json && { json }) })
      assert.equal(reply.status, expect.status, reply.text)
      if (expect.location) assert.equal(shaped(reply.headers.get('location')), shaped(expect.location))
      assert.equal(isSignedIn(reply), expect.sets_session_cookie)
      if (expect.body) assertBody(reply, expect.body)
    })
  }

  test('afterwards the addresses are as Kratos leaves them', async () => {
    const rows = await db.query<{ id: string; state: string; value: string; verified: boolean; status: string }>(AFTER)
    const found = Object.entries(LIVE.identities).map(([name, { id }]) => {
      const own = rows.filter((row) => row.id === id)
      const addresses = own.map(({ value, verified, status }) => [value, verified, status])
      return [name, { state: own[0]?.state, addresses }]
    })
    assert.deepEqual(Object.fromEntries(found), LIVE.identities_after)
  })

  test('the message that was queued there goes out once', async () => {
    const { id, recipient, code } = LIVE.courier_messages.queued
    const words = { smtp: `127.0.0.1:${mails.port}` }
    const base = { ...LIVE.config, 'watch-courier': true }
    const nodes = [0, 1].map(() => testServer(scope, { db, base, words }))
    await Promise.all(nodes)
    await until(async () => (await db.query<{ status: number }>(MESSAGE, [id]))[0]?.status === 2)
    const sent = mails.mails.filter(({ to, raw }) => to === recipient && raw.includes(code))
    assert.equal(sent.length, 1)
  })
})
