import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { createDatabase, openAt } from '../helpers/db.ts'
import { sessionRows } from '../helpers/sessions.ts'
import { runHere } from './in-process.ts'
import { run } from './run.ts'

const PAST = '2020-01-01T00:00:00Z'
const LIVE = sql('test.live_cleanup', 'select id, active from sessions order by expires_at')
const ENDS = sql('test.ends_cleanup', `select cause from lethe.events where type = 'session.ended'`)

describe('cleanup sql', () => {
  it('runs as the chart runs it', async (t) => {
    const DSN = await createDatabase(t, { migrated: true })
    const db = await openAt(t, DSN)
    const rows = await sessionRows(db)
    await rows.add({ expiresAt: PAST })
    const recent = await rows.add({ expiresAt: new Date(Date.now() - 3_600_000).toISOString() })
    const live = await rows.add({ expiresAt: '2200-01-01T00:00:00Z' })
    const flags = [
      '--database.cleanup.batch_size',
      '100',
      '--database.cleanup.sleep.tables',
      '1m0s',
      '--keep-last',
      '6h',
    ]
    const { code, stderr, pauses } = await runHere(['cleanup', 'sql', ...flags], { env: { DSN } })
    assert.equal(code, 0, stderr)
    const expected = [
      { id: recent, active: false },
      { id: live, active: true },
    ]
    assert.deepEqual(await db.query(LIVE), expected)
    assert.deepEqual(await db.query(ENDS), [{ cause: 'expired' }, { cause: 'expired' }])
    assert.match(stderr, /^Cleaning up records older than \d{4}-.*\nEnded 2 sessions whose time is over\n/)
    assert.match(
      stderr,
      /\nCleaning up expired sessions\nDeleted 1 sessions\nCleaning up expired continuity containers\n/,
    )
    assert.deepEqual(pauses, [60_000])
  })

  it('takes the address as an argument, in a process of its own', async (t) => {
    const DSN = await createDatabase(t, { migrated: true })
    const { code, stderr } = await run(['cleanup', 'sql', DSN])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /Successfully cleaned up/)
  })

  it('refuses what it cannot work with', async (t) => {
    assert.match((await runHere(['cleanup', 'sql'])).stderr, /^dsn must be set/)
    const DSN = await createDatabase(t, { migrated: false })
    const pending = await runHere(['cleanup', 'sql'], { env: { DSN } })
    assert.equal(pending.code, 1)
    assert.match(pending.stderr, /migrations are pending; run kratos migrate sql up -e first/)
    for (const flags of [
      ['--keep-last', 'soon'],
      ['-b', '0'],
      ['-b', 'many'],
      ['--database.cleanup.sleep.tables', '-1s'],
    ]) {
      const { code, stderr } = await runHere(['cleanup', 'sql', ...flags], { env: { DSN } })
      assert.equal(code, 1)
      assert.match(stderr, /^Error: --[\w.-]+: "[^"]*" is not a /, flags.join(' '))
    }
  })
})
