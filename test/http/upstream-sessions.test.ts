import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeJwt } from 'jose'
import { createSeal } from '../../src/kernel/crypto/seal.ts'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, PASSWORD } from '../helpers/client.ts'
import { backends } from '../helpers/db.ts'
import { leaveFor, serverWithProvider, signInAt, type WithProvider, whoami } from '../helpers/provider-sign-in.ts'

interface Row {
  session_id: string
  provider: string
  subject: string
  issuer: string
  sid: string | null
  id_token: string
}

const ROWS = sql(
  'test.upstream_sessions',
  'select session_id, provider, subject, issuer, sid, id_token from lethe.upstream_sessions order by signed_in_at',
)
const END_ELSEWHERE = sql('test.end_elsewhere', 'update sessions set active = false where id = $1')
const DELETE_ELSEWHERE = sql('test.delete_elsewhere', 'delete from sessions where id = $1')
const GROW_OLD = sql(
  'test.grow_old',
  `update lethe.upstream_sessions set signed_in_at = signed_in_at - interval '1 year'`,
)

const rowsOf = ({ server }: WithProvider) => server.db.query<Row>(ROWS)

const open = (secret: string, text: string) =>
  createSeal(
    'lethe upstream session',
    () => [secret],
    () => Buffer.alloc(0),
  )
    .open(Buffer.from(text, 'hex'))
    ?.toString()

for (const backend of backends()) {
  test(`a session remembers its sign-in at a provider, and forgets it as it ends (${backend.name})`, async (t) => {
    const all = await serverWithProvider(t, { backend })
    const { server, provider } = all
    const ada = { sub: 'ada', email: 'ada@example.org' }
    const first = await signInAt(all, { ...ada, sid: 'up-1' })
    const second = await signInAt(all, { ...ada, sid: 'up-2' })
    const rows = await rowsOf(all)
    assert.deepEqual(
      rows.map(({ id_token: _, ...row }) => row),
      [
        [first, 'up-1'],
        [second, 'up-2'],
      ].map(([one, sid]: any) => ({
        ...{ session_id: one.session.id, provider: 'one', subject: 'ada', issuer: provider.issuer, sid },
      })),
    )
    const token = open('wire-scenarios-are-32-chars-long', rows[1]!.id_token)
    assert.equal(decodeJwt(token ?? '').sid, 'up-2')
    assert.doesNotMatch(server.logs(), new RegExp(token!.split('.')[2]!))

    await server.deps.sessions.revoke(first.session, 'logout')
    assert.deepEqual(
      (await rowsOf(all)).map(({ sid }) => sid),
      ['up-2'],
    )
    const admin = new Client(server)
    await admin.send('DELETE', `${server.adminUrl}/admin/identities/${second.session.identity.id}`)
    assert.deepEqual(await rowsOf(all), [])
  })
}

describe('what a session remembers of a provider', () => {
  const ada = { sub: 'ada', email: 'ada@example.org' }

  test('is that of the last sign-in of each account: a refresh replaces, a link adds', async (t) => {
    const all = await serverWithProvider(t, {}, (p) => [p.entry('one'), p.entry('two')])
    const { provider } = all
    const { client, session } = await signInAt(all, { ...ada, sid: 'old' })
    await client.get(provider.signIn(await leaveFor(client, 'one', { query: '?refresh=true' }), { ...ada, sid: 'new' }))
    await client.get(provider.signIn(await leaveFor(client, 'two', { kind: 'settings' }), { sub: 'x', sid: 'third' }))
    assert.deepEqual(
      (await rowsOf(all)).map(({ session_id, provider: id, sid }) => [session_id, id, sid]),
      [
        [session.id, 'one', 'new'],
        [session.id, 'two', 'third'],
      ],
    )
  })

  test('is that of an account that was linked by signing in', async (t) => {
    const all = await serverWithProvider(t)
    const { server, provider } = all
    const made = await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, {
      json: {
        ...{ schema_id: 'default', traits: { email: ada.email } },
        credentials: { password: { config: { password: PASSWORD } } },
      },
    })
    const client = new Client(server)
    const conflict = await client.get(provider.signIn(await leaveFor(client), { ...ada, sid: 'linked' }))
    const csrf_token = conflict.body.ui.nodes.find((node: any) => node.attributes.name === 'csrf_token')
    const confirmed = await client.send('POST', conflict.body.ui.action, {
      json: { method: 'password', identifier: ada.email, password: PASSWORD, csrf_token: csrf_token.attributes.value },
    })
    assert.equal(confirmed.status, 200, confirmed.text)
    assert.deepEqual(
      (await rowsOf(all)).map(({ session_id, sid }) => [session_id, sid]),
      [[confirmed.body.session.id, 'linked']],
    )
    assert.equal(confirmed.body.session.identity.id, made.body.id)
    assert.deepEqual(
      (await whoami(client)).session.authentication_methods.map(({ method }: any) => method),
      ['password', 'oidc'],
    )
  })

  test('is sealed also where the cipher is noop, and bounded', async (t) => {
    const config = { ciphers: { algorithm: 'noop' }, secrets: { cipher: null } }
    const all = await serverWithProvider(t, { config })
    await signInAt(all, ada)
    await signInAt(all, { ...ada, sid: 's'.repeat(2000), picture: 'p'.repeat(40_000) })
    const [small, large] = await rowsOf(all)
    assert.equal(decodeJwt(open('wire-scenarios-are-no-secret-at-all', small!.id_token) ?? '').sub, 'ada')
    assert.deepEqual([large!.sid, large!.id_token, large!.subject], [null, '', 'ada'])
  })

  test('is deleted by clean-up where another program has ended or deleted the session', async (t) => {
    const all = await serverWithProvider(t)
    const { server } = all
    const [ended, deleted, alive] = [await signInAt(all, ada), await signInAt(all, ada), await signInAt(all, ada)]
    await server.db.query(END_ELSEWHERE, [ended.session.id])
    await server.db.query(DELETE_ELSEWHERE, [deleted.session.id])
    await server.db.query(GROW_OLD)
    await server.deps.gc.deleteOrphans({ until: server.deps.clock.now(), limit: 10 })
    assert.deepEqual(
      (await rowsOf(all)).map(({ session_id }) => session_id),
      [alive.session.id],
    )
  })
})
