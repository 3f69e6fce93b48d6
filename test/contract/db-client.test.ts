import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Conflict, StoreError, sql } from '../../src/kernel/db/client.ts'
import { ownedBackends } from '../helpers/db.ts'

const TYPES = sql(
  'test.types',
  `select $1::timestamp as ts, $2::jsonb as doc, $3::uuid as id, $4::text as words, $5::bool as flag, $6::bigint as big,
          $7::integer as small, $8::bytea as bytes, $9::timestamp[] as times, $10::uuid[] as ids, $11::text[] as list,
          $12::bigint[] as bigs, null::timestamp as nothing, timestamptz '2026-11-22 12:00:00.5+02' as zoned`,
)
const ADD_TYPE = sql('test.add_type', 'insert into identity_credential_types (id, name) values ($1, $2)')
const COUNT_TYPES = sql('test.count_types', 'select count(*) as n from identity_credential_types')
const ONE = '00000000-0000-4000-8000-000000000001'
const PASSWORD = '78c1b41d-8341-4507-aa60-aff1d4369670'

for (const backend of ownedBackends()) {
  describe(`contract=db client on ${backend.name}`, () => {
    test('values come back as they went in, to the microsecond', async (t) => {
      const db = await backend.open(t)
      const words = 'naïve \\ " \' {} NULL 🙂'
      const values = ['2026-11-22T14:43:19.123456Z', { a: [1, null, 'x"y'] }, ONE, words, true, 9007199254740991, -7]
      const lists = [['2026-11-22T00:00:00Z', null], [ONE], [words, null, 'NULL', '', 'a,b'], [1, 2]]
      const [row] = await db.query(TYPES, [...values, Buffer.from([0, 255]), ...lists])
      assert.deepEqual(row, {
        ts: '2026-11-22T14:43:19.123456Z',
        doc: { a: [1, null, 'x"y'] },
        id: ONE,
        words,
        flag: true,
        big: 9007199254740991,
        small: -7,
        bytes: Buffer.from([0, 255]),
        times: ['2026-11-22T00:00:00Z', null],
        ids: [ONE],
        list: [words, null, 'NULL', '', 'a,b'],
        bigs: [1, 2],
        nothing: null,
        zoned: '2026-11-22T10:00:00.5Z',
      })
    })

    test('times are printed without trailing zeros, as Kratos prints them', async (t) => {
      const db = await backend.open(t)
      const [row] = await db.query(sql('test.ts', 'select $1::timestamp as a, $2::timestamp as b'), [
        '2026-01-02T03:04:05.100000Z',
        '2026-01-02T03:04:05.000000Z',
      ])
      assert.deepEqual(row, { a: '2026-01-02T03:04:05.1Z', b: '2026-01-02T03:04:05Z' })
    })

    test('a JSON list goes as text, a list of JavaScript as an array of Postgres', async (t) => {
      const db = await backend.open(t)
      const [row] = await db.query(sql('test.lists', 'select $1::jsonb as doc, 2 = any($2::int[]) as found'), [
        JSON.stringify([1, 'two']),
        [1, 2],
      ])
      assert.deepEqual(row, { doc: [1, 'two'], found: true })
    })

    test('a Date is refused, because it has no microseconds', async (t) => {
      const db = await backend.open(t)
      await assert.rejects(db.query(sql('test.date', 'select $1::timestamp as t'), [new Date(0)]), TypeError)
      assert.deepEqual(await db.query(sql('test.one', 'select 1 as n')), [{ n: 1 }])
    })

    test('a unique or foreign key is a Conflict with the name of the constraint', async (t) => {
      const db = await backend.open(t)
      const conflict = (constraint: string) => (error: unknown) =>
        error instanceof Conflict && error.constraint === constraint
      await assert.rejects(db.query(ADD_TYPE, [ONE, 'password']), conflict('identity_credential_types_name_idx'))
      await assert.rejects(db.query(ADD_TYPE, [PASSWORD, 'other']), conflict('identity_credential_types_pkey'))
      const orphan = sql(
        'test.orphan',
        `insert into identities (id, schema_id, traits, created_at, updated_at, nid)
         values ($1, 'default', '{}', $2, $2, $1)`,
      )
      await assert.rejects(db.query(orphan, [ONE, '2026-01-01T00:00:00Z']), conflict('identities_nid_fk_idx'))
    })

    test('other failures are a StoreError that tells the statement and SQLSTATE, but no value', async (t) => {
      const db = await backend.open(t)
      const secret = 'ory_st_not_for_the_log'
      await assert.rejects(db.query(sql('test.cast', 'select $1::text::uuid as id'), [secret]), (error: unknown) => {
        assert.ok(error instanceof StoreError)
        assert.equal(error.sqlstate, '22P02')
        assert.match(error.message, /^test\.cast: SQLSTATE 22P02/)
        assert.ok(!JSON.stringify(error, Object.getOwnPropertyNames(error)).includes(secret))
        assert.equal(error.cause, undefined)
        return true
      })
    })

    test('a transaction is kept whole or not at all', async (t) => {
      const db = await backend.open(t)
      const count = async () => (await db.query<{ n: number }>(COUNT_TYPES))[0]!.n
      const kept = await db.tx(async (tx) => {
        await tx.query(ADD_TYPE, [ONE, 'one'])
        return (await tx.query<{ n: number }>(COUNT_TYPES))[0]!.n
      })
      assert.equal(kept, 9)
      assert.equal(await count(), 9)
      const refused = new Error('no')
      const attempt = db.tx(async (tx) => {
        await tx.query(sql('test.clear', 'delete from identity_credential_types'))
        throw refused
      })
      await assert.rejects(attempt, refused)
      assert.equal(await count(), 9)
    })

    test('a transaction with a failed statement fails, even if the error was caught inside', async (t) => {
      const db = await backend.open(t)
      const attempt = db.tx(async (tx) => {
        await tx.query(ADD_TYPE, [ONE, 'one'])
        await tx.query(ADD_TYPE, [ONE, 'again']).catch(() => {})
        return 'done'
      })
      await assert.rejects(attempt, Conflict)
      const forgotten = db.tx(async (tx) => {
        await tx.query(ADD_TYPE, [ONE, 'one'])
        tx.query(ADD_TYPE, [ONE, 'again']).catch(() => {})
        return 'done'
      })
      await assert.rejects(forgotten, Conflict)
      assert.deepEqual(await db.query(COUNT_TYPES), [{ n: 8 }])
    })

    test('a transaction that is over takes no more statements', async (t) => {
      const db = await backend.open(t)
      const late = await db.tx(async (tx) => tx)
      await assert.rejects(late.query(COUNT_TYPES), /after the end of its transaction/)
    })

    test('transactions and statements at once do not mix', async (t) => {
      const db = await backend.open(t)
      const bump = async (index: number) =>
        db
          .tx(async (tx) => {
            await tx.query(sql('test.lock', 'select id from identity_credential_types where id = $1 for update'), [
              PASSWORD,
            ])
            const [row] = await tx.query<{ n: number }>(
              sql('test.read', 'select length(name) as n from identity_credential_types where id = $1'),
              [PASSWORD],
            )
            await tx.query(
              sql('test.write', 'update identity_credential_types set name = repeat($2, $3) where id = $1'),
              [PASSWORD, 'x', row!.n + 1],
            )
            if (index % 3 === 0) throw new Error('rolled back')
          })
          .catch(() => {})
      const reads = Array.from({ length: 12 }, () => db.query(COUNT_TYPES))
      await Promise.all([...Array.from({ length: 12 }, (_, index) => bump(index)), ...reads])
      const read = sql('test.result', 'select length(name) as n from identity_credential_types where id = $1')
      assert.deepEqual(await db.query(read, [PASSWORD]), [{ n: 'password'.length + 8 }])
    })

    test('a script that fails leaves nothing open', async (t) => {
      const db = await backend.open(t)
      await assert.rejects(db.script('begin; create table half (id int); select 1/0; commit'), StoreError)
      const [row] = await db.query(sql('test.half', `select to_regclass('half') as found, 1 as n`))
      assert.deepEqual(row, { found: null, n: 1 })
    })

    test('each statement is reported with its name, time and outcome', async (t) => {
      const seen: [string, boolean][] = []
      const onStatement = (name: string, seconds: number, ok: boolean) => {
        assert.ok(seconds >= 0 && seconds < 60)
        seen.push([name, ok])
      }
      const db = await backend.open(t, { onStatement })
      await db.query(COUNT_TYPES)
      await db.query(ADD_TYPE, [PASSWORD, 'x']).catch(() => {})
      assert.deepEqual(seen, [
        ['test.count_types', true],
        ['test.add_type', false],
      ])
    })
  })
}
