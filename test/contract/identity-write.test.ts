import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { newPassword } from '../../src/credentials/password.ts'
import { Conflict } from '../../src/kernel/db/client.ts'
import { HttpError } from '../../src/kernel/http/errors.ts'
import { backends } from '../helpers/db.ts'
import { identityRows } from '../helpers/identities.ts'

const refusal = (status: number, text?: RegExp) => (error: unknown) =>
  error instanceof HttpError &&
  error.status === status &&
  (text === undefined || text.test(error.reason ?? error.message))

for (const backend of backends()) {
  describe(`contract=writing identities on ${backend.name}`, () => {
    test('a new identity is read back as it was answered', async (t) => {
      const rows = await identityRows(await backend.open(t))
      const made = await rows.create({
        traits: { email: 'Ada@Example.ORG', username: '  Ada L ', name: 'Ada' },
        metadata_public: { plan: 'pro' },
        metadata_admin: 'a text',
        external_id: 'ext-1',
        credentials: { password: { config: { password: 'correct horse' } } },
        verifiable_addresses: [{ value: 'ADA@example.org', via: 'email', verified: true }],
      })
      const read = await rows.identities.get(made.id)
      const sorted = {
        ...made,
        credentials: made.credentials.map((c) => ({ ...c, identifiers: c.identifiers.sort() })),
      }
      assert.deepEqual(read, sorted)
      assert.deepEqual(await rows.identities.getByExternalId('ext-1'), read)
      assert.deepEqual(read.credentials[0]!.identifiers, ['ada l', 'ada@example.org'])
      assert.deepEqual(read.traits, { email: 'Ada@Example.ORG', username: '  Ada L ', name: 'Ada' })
      const [address] = read.verifiable_addresses
      assert.deepEqual(
        [address!.value, address!.verified, address!.status, address!.verified_at],
        ['ada@example.org', true, 'completed', '2026-11-22T12:00:00Z'],
      )
      assert.equal(read.available_aal, 'aal1')
      assert.deepEqual(await rows.counts(), {
        identities: 1,
        credentials: 1,
        identifiers: 2,
        verifiable: 1,
        recovery: 1,
      })
    })

    test('an identifier is found however it is written, and its hash comes along', async (t) => {
      const rows = await identityRows(await backend.open(t))
      const { id } = await rows.create({
        traits: { email: 'ada@example.org' },
        credentials: { password: { config: { password: 'correct horse' } } },
      })
      const found = await rows.identities.findByPasswordIdentifier('\u0085 ADA@example.ORG ')
      assert.equal(found?.identity.id, id)
      assert.equal(await rows.hasher.verify('correct horse', found!.hash!), true)
      assert.equal(await rows.identities.findByPasswordIdentifier('bob@example.org'), undefined)
    })

    test('without a password the identifier is reserved all the same', async (t) => {
      const rows = await identityRows(await backend.open(t))
      const made = await rows.create({ traits: { email: 'ada@example.org' } })
      assert.deepEqual(made.credentials[0]!.config, {})
      assert.equal(made.available_aal, 'aal0')
      assert.equal((await rows.identities.findByPasswordIdentifier('ada@example.org'))?.hash, undefined)
      await assert.rejects(rows.create({ traits: { email: 'ADA@EXAMPLE.org' } }), refusal(409, /conflicts/))
      assert.deepEqual(await rows.counts(), {
        identities: 1,
        credentials: 1,
        identifiers: 1,
        verifiable: 1,
        recovery: 1,
      })
    })

    test('another network sees nothing of it', async (t) => {
      const db = await backend.open(t)
      const [rows, others] = [await identityRows(db), await identityRows(db)]
      const { id } = await rows.create({ traits: { email: 'ada@example.org' }, external_id: 'ext' })
      await assert.rejects(others.identities.get(id), refusal(404))
      await assert.rejects(others.identities.getByExternalId('ext'), refusal(404))
      assert.equal(await others.identities.findByPasswordIdentifier('ada@example.org'), undefined)
      await assert.rejects(others.identities.remove(id), refusal(404))
      assert.equal(
        (await others.create({ traits: { email: 'ada@example.org' }, external_id: 'ext' })).external_id,
        'ext',
      )
    })

    test('registration leaves the conflict to its caller', async (t) => {
      const rows = await identityRows(await backend.open(t))
      const input = {
        schemaId: 'person',
        traits: { email: 'ada@example.org' },
        credentials: [newPassword({ hashed_password: await rows.hasher.hash('x') })],
      }
      assert.equal((await rows.identities.register(input)).available_aal, 'aal1')
      await assert.rejects(rows.identities.register(input), Conflict)
    })

    test('part of a transaction that fails, nothing is left', async (t) => {
      const rows = await identityRows(await backend.open(t))
      const input = {
        schemaId: 'person',
        traits: { email: 'ada@example.org' },
        credentials: [newPassword({ hashed_password: await rows.hasher.hash('x') })],
      }
      const failing = rows.db.tx(async (tx) => {
        await rows.identities.register(input, tx)
        throw new Error('the session could not be issued')
      })
      await assert.rejects(failing, /could not be issued/)
      assert.deepEqual(await rows.counts(), {
        identities: 0,
        credentials: 0,
        identifiers: 0,
        verifiable: 0,
        recovery: 0,
      })
    })

    test('values too long for their column are refused before they reach it', async (t) => {
      const rows = await identityRows(await backend.open(t))
      await assert.rejects(rows.create({ traits: { username: 'x'.repeat(256) } }), refusal(400, /255/))
      await assert.rejects(rows.create({ traits: {}, external_id: 'x'.repeat(65) }), refusal(400, /64/))
      assert.equal((await rows.create({ traits: { username: '😀'.repeat(255) } })).state, 'active')
    })

    test('a hash of no known family is refused', async (t) => {
      const rows = await identityRows(await backend.open(t))
      const credentials = { password: { config: { hashed_password: 'not-a-hash' } } }
      await assert.rejects(rows.create({ traits: { username: 'ada' }, credentials }), refusal(400, /known hash format/))
    })

    test('a batch creates what it can, each for itself', async (t) => {
      const rows = await identityRows(await backend.open(t))
      await rows.create({ traits: { username: 'taken' } })
      const bodies = ['a', 'taken', 'b', 'a'].map((username) => rows.body({ traits: { username } }))
      const items = await rows.identities.batch([...bodies, rows.body({ traits: { email: 'no mail' } })])
      const failed = items.map((item) => (item.kind === 'failed' ? item.error.code : 0))
      // the two that want `a` race: one of them gets it
      assert.deepEqual([failed[1], failed[2], [failed[0], failed[3]].sort(), failed[4]], [409, 0, [0, 409], 400])
      assert.equal((await rows.counts())?.identities, 3)
    })

    test('a batch over the limit is refused before a single hash is made', async (t) => {
      const rows = await identityRows(await backend.open(t))
      const credentials = { password: { config: { password: 'secret' } } }
      const bodies = Array.from({ length: 201 }, (_, i) => rows.body({ traits: { username: `u${i}` }, credentials }))
      await assert.rejects(rows.identities.batch(bodies), refusal(400, /plaintext password is 200/))
      assert.equal((await rows.counts())?.identities, 0)
    })

    test('deleting ends the sessions, each with its event, and leaves no row behind', async (t) => {
      const rows = await identityRows(await backend.open(t))
      const { id } = await rows.create({ traits: { email: 'ada@example.org' } })
      const sessions = [await rows.addSession(id), await rows.addSession(id)].sort()
      await rows.identities.remove(id)
      const ends = (await rows.ends()).sort((a, b) => String(a.session_id).localeCompare(String(b.session_id)))
      assert.deepEqual(
        ends,
        sessions.map((session_id) => ({ cause: 'identity_deleted', session_id })),
      )
      assert.deepEqual(await rows.sessionsOf(id), [])
      assert.deepEqual(await rows.counts(), {
        identities: 0,
        credentials: 0,
        identifiers: 0,
        verifiable: 0,
        recovery: 0,
      })
      await assert.rejects(rows.identities.remove(id), refusal(404))
      await assert.rejects(rows.identities.remove('no-uuid'), refusal(404))
      await assert.rejects(rows.identities.get(randomUUID()), refusal(404))
    })
  })
}
