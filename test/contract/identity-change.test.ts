import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type IdentityBody, readUpdateBody } from '../../src/identities/admin/bodies.ts'
import type { FullIdentity } from '../../src/identities/types.ts'
import { HttpError } from '../../src/kernel/http/errors.ts'
import { backends } from '../helpers/db.ts'
import { identityRows } from '../helpers/identities.ts'

const LATER = '2026-11-22T13:00:00Z'
const refusal = (status: number, text?: RegExp) => (error: unknown) =>
  error instanceof HttpError &&
  error.status === status &&
  (text === undefined || text.test(`${error.reason} ${error.message}`))
const put = (body: Record<string, unknown>): IdentityBody => readUpdateBody(body)
const password = (identity: FullIdentity) => identity.credentials.find(({ type }) => type === 'password')!

for (const backend of backends()) {
  describe(`contract=changing identities on ${backend.name}`, () => {
    async function ada(t: Parameters<typeof backend.open>[0]) {
      const rows = await identityRows(await backend.open(t))
      const before = await rows.create({
        traits: { email: 'ada@example.org', username: 'ada' },
        metadata_public: { a: 1 },
        metadata_admin: { b: 2 },
        external_id: 'ext',
        credentials: { password: { config: { password: 'old password' } } },
      })
      rows.clock.set(LATER)
      return { rows, before, read: () => rows.identities.get(before.id) }
    }

    test('PUT replaces what it names and what it leaves out, but not the credentials', async (t) => {
      const { rows, before, read } = await ada(t)
      const answered = await rows.identities.update(before.id, put({ traits: { email: 'new@example.org' } }))
      const after = await read()
      assert.deepEqual(answered, after)
      assert.deepEqual([after.metadata_public, after.metadata_admin, after.external_id], [null, null, null])
      assert.equal(after.state_changed_at, before.state_changed_at)
      assert.deepEqual([after.created_at, after.updated_at], [before.created_at, LATER])
      assert.deepEqual(password(after).identifiers, ['new@example.org'])
      assert.deepEqual(password(after).config, password(before).config)
      assert.equal(password(after).created_at, password(before).created_at)
      assert.equal(await rows.identities.findByPasswordIdentifier('ada'), undefined)
      assert.deepEqual(
        [after.verifiable_addresses, after.recovery_addresses].map((list) => list.map(({ value }) => value)),
        [['new@example.org'], ['new@example.org']],
      )
    })

    test('rows that need no change keep their ids and times', async (t) => {
      const { rows, before, read } = await ada(t)
      const traits = { email: 'ada@example.org', username: 'ada', name: 'Ada' }
      await rows.identities.update(before.id, put({ traits }))
      const after = await read()
      assert.deepEqual(after.credentials, [{ ...password(before), identifiers: ['ada', 'ada@example.org'] }])
      assert.deepEqual(after.verifiable_addresses, before.verifiable_addresses)
      assert.deepEqual(after.recovery_addresses, before.recovery_addresses)
    })

    test('PUT with a password sets it and leaves sessions alone', async (t) => {
      const { rows, before, read } = await ada(t)
      const session = await rows.addSession(before.id)
      const credentials = { password: { config: { password: 'new password' } } }
      await rows.identities.update(before.id, put({ traits: before.traits, credentials }))
      const after = await read()
      assert.equal(await rows.hasher.verify('new password', String(password(after).config.hashed_password)), true)
      assert.equal(password(after).created_at, LATER)
      assert.deepEqual(await rows.sessionsOf(before.id), [{ id: session, active: true }])
    })

    test('a change that is refused changes nothing', async (t) => {
      const { rows, before, read } = await ada(t)
      await rows.create({ traits: { username: 'bob' }, external_id: 'bob' })
      const stored = await read()
      const { identities } = rows
      await assert.rejects(
        identities.update(before.id, put({ traits: { email: 'nomail' } })),
        refusal(400, /not valid/),
      )
      await assert.rejects(identities.update(before.id, put({ traits: { username: 'BOB' } })), refusal(409))
      await assert.rejects(identities.update(before.id, put({ traits: {}, schema_id: 'none' })), refusal(400, /none/))
      const taken = [{ op: 'replace', path: '/external_id', value: 'bob' }]
      await assert.rejects(identities.patch(before.id, taken), refusal(409))
      assert.deepEqual(await read(), stored)
    })

    test('a PATCH keeps what it does not name', async (t) => {
      const { rows, before, read } = await ada(t)
      const stored = await read()
      await rows.identities.patch(before.id, [
        { op: 'add', path: '/traits/name', value: 'Ada' },
        { op: 'replace', path: '/metadata_public/deep/er', value: [1] },
        { op: 'remove', path: '/metadata_admin' },
      ])
      assert.deepEqual(await read(), {
        ...stored,
        traits: { ...before.traits, name: 'Ada' },
        metadata_public: { a: 1, deep: { er: [1] } },
        metadata_admin: null,
        updated_at: LATER,
      })
    })

    test('a PATCH can mark an address as verified', async (t) => {
      const { rows, before, read } = await ada(t)
      await rows.identities.patch(before.id, [
        { op: 'replace', path: '/verifiable_addresses/0/verified', value: true },
        { op: 'replace', path: '/verifiable_addresses/0/status', value: 'completed' },
      ])
      const [address] = (await read()).verifiable_addresses
      assert.deepEqual([address!.verified, address!.status, address!.verified_at], [true, 'completed', LATER])
      assert.equal(address!.created_at, before.created_at)
    })

    test('a PATCH may give a credential another hash or version, but no unknown hash and no other type', async (t) => {
      const { rows, before, read } = await ada(t)
      const hash = await rows.hasher.hash('imported')
      const path = '/credentials/password/config/hashed_password'
      await rows.identities.patch(before.id, [
        { op: 'replace', path, value: hash },
        { op: 'replace', path: '/credentials/password/version', value: 3 },
      ])
      const { config, version, created_at } = password(await read())
      assert.deepEqual([config, version, created_at], [{ hashed_password: hash }, 3, before.created_at])
      const refused = [
        [{ op: 'replace', path, value: 'plain text' }],
        [{ op: 'replace', path: '/credentials/password', value: { config: {} } }],
        [{ op: 'add', path: '/credentials/telepathy', value: { type: 'telepathy' } }],
        [{ op: 'replace', path: '/Credentials', value: {} }],
        [{ op: 'replace', path: '/id', value: 'x' }],
        [{ op: 'add', path: '/credentials/oidc/config', value: {} }],
        [{ op: 'test', path: '/state', value: 'active' }],
        [{ op: 'replace', path: '/state', value: 'asleep' }],
        [{ op: 'replace', path: '', value: {} }],
        [{ op: 'remove', path: '/traits/none' }],
        { op: 'remove' },
      ]
      for (const patch of refused) await assert.rejects(rows.identities.patch(before.id, patch), refusal(400))
    })

    test('a disabled identity keeps its sessions, which count again once it is active', async (t) => {
      const { rows, before, read } = await ada(t)
      const session = await rows.addSession(before.id)
      await rows.identities.patch(before.id, [{ op: 'replace', path: '/state', value: 'inactive' }])
      assert.deepEqual([(await read()).state, (await read()).state_changed_at], ['inactive', LATER])
      assert.deepEqual(await rows.sessionsOf(before.id), [{ id: session, active: true }])
      assert.deepEqual(await rows.ends(), [])
    })

    test('a rehash does not bring back a password that was changed meanwhile', async (t) => {
      const { rows, before, read } = await ada(t)
      const from = String(password(before).config.hashed_password)
      const [better, changed] = [await rows.hasher.hash('old password'), await rows.hasher.hash('changed')]
      assert.equal(await rows.identities.replacePasswordHash(before.id, { from, to: better }), true)
      assert.deepEqual(password(await read()).config, { hashed_password: better })
      await rows.identities.setPassword(before.id, changed)
      assert.equal(await rows.identities.replacePasswordHash(before.id, { from: better, to: from }), false)
      assert.deepEqual(password(await read()).config, { hashed_password: changed })
      assert.deepEqual(password(await read()).identifiers, ['ada', 'ada@example.org'])
    })

    test('two changes at once both count', async (t) => {
      const { rows, before, read } = await ada(t)
      const add = (name: string) =>
        rows.identities.patch(before.id, [{ op: 'add', path: `/metadata_public/${name}`, value: 1 }])
      await Promise.all(['b', 'c', 'd', 'e'].map(add))
      assert.deepEqual((await read()).metadata_public, { a: 1, b: 1, c: 1, d: 1, e: 1 })
    })

    test('the last first factor stays; a second factor goes', async (t) => {
      const { rows, before, read } = await ada(t)
      await rows.identities.patch(before.id, [
        {
          op: 'add',
          path: '/credentials/totp',
          value: { type: 'totp', identifiers: [before.id], config: { totp_url: 'otpauth://totp/x' } },
        },
      ])
      assert.equal((await read()).available_aal, 'aal2')
      await assert.rejects(rows.identities.removeCredential(before.id, 'password'), refusal(400, /last first factor/))
      await assert.rejects(rows.identities.removeCredential(before.id, 'oidc'), refusal(404, /no oidc set up/))
      await rows.identities.removeCredential(before.id, 'totp')
      const after = await read()
      assert.deepEqual([after.available_aal, after.credentials.map(({ type }) => type)], ['aal1', ['password']])
      await assert.rejects(rows.identities.removeCredential(before.id, 'totp'), refusal(404))
    })
  })
}
