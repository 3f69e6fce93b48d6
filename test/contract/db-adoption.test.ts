import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readAdoption } from '../../src/kernel/db/adoption/adoption.ts'
import { NEEDED_CASCADES, NEEDED_COLUMNS, NEEDED_RIGHTS, NEEDED_UNIQUE } from '../../src/kernel/db/adoption/tables.ts'
import { openKratos, pglite } from '../helpers/db.ts'
import { structureOf } from '../helpers/structure.ts'

/** Columns that v26.2.0 has and no statement names. */
const UNUSED = ['oauth2_login_challenge', 'submit_count', 'organization_id']

describe('what is needed of the tables of Kratos', () => {
  test('is all there in those of v26.2.0', async (t) => {
    assert.deepEqual(await readAdoption(await openKratos(t)), {
      ...{ newest: '20260114175904000000', newer: undefined },
      ...{ problems: [], unknown: [] },
    })
  })

  test('is what our own migrations make, table by table', async (t) => {
    const own = await structureOf(await pglite.open(t))
    for (const [table, columns] of Object.entries(NEEDED_COLUMNS)) {
      const lines = own.get(table)
      assert.ok(lines, `our migrations make no table ${table}`)
      for (const [column, type] of Object.entries(columns)) {
        assert.ok(
          lines.some((line) => line === `${column} ${type}` || line.startsWith(`${column} ${type} `)),
          `${table}.${column} is no ${type} in our own tables`,
        )
      }
    }
    const tables = [...own.keys()].filter((table) => !table.startsWith('lethe.') && table !== 'continuity_containers')
    assert.deepEqual(tables, Object.keys(NEEDED_COLUMNS).sort(), 'every table of ours is needed, and no other')
    for (const table of tables) {
      const names = own
        .get(table)!
        .filter((line) => /^[a-z0-9_]+ (uuid|character|timestamp|jsonb?|text|boolean|integer|bytea)/.test(line))
        .map((line) => line.split(' ')[0]!)
      const forgotten = names.filter((name) => !(name in NEEDED_COLUMNS[table]!) && !UNUSED.includes(name))
      assert.deepEqual(forgotten, [], `columns of ${table} that nobody would miss in a database of Kratos`)
    }
    for (const table of [...NEEDED_UNIQUE, ...NEEDED_CASCADES].map(([name]) => name)) assert.ok(own.has(table))
    for (const table of Object.keys(NEEDED_COLUMNS)) assert.ok(table in NEEDED_RIGHTS)
  })
})
