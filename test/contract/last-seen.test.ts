import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatTime, parseTime, SECOND } from '../../src/kernel/base/clock.ts'
import { sql } from '../../src/kernel/db/client.ts'
import { createLastSeen } from '../../src/sessions/last-seen.ts'
import type { Rule } from '../../src/sessions/rules.ts'
import { backends } from '../helpers/db.ts'
import { sessionRows, T0, T1 } from '../helpers/sessions.ts'

const SEEN = sql('test.last_seen', 'select session_id, seen_at from lethe.last_seen order by session_id')
const log = { warn: () => {} }
const rules = {
  of: (): Rule => ({ whenFull: 'end_oldest', fresh: {} }),
  shortest: () => ({ idle: undefined, absolute: undefined }),
}

for (const backend of backends()) {
  describe(`last seen on ${backend.name}`, () => {
    test('many uses within a minute are one write, and a time never goes back', async (t) => {
      const db = await backend.open(t)
      const id = await (await sessionRows(db)).add()
      const used = { id, schema_id: 'default', expires_at: T1 }
      let now = parseTime(T0)
      const [node, behind] = [{ now: () => now }, { now: () => now - 30 * SECOND }].map((clock) =>
        createLastSeen({ db, clock, rules, log }),
      )
      node!.note(used)
      node!.note(used)
      await node!.flush()
      behind!.note(used)
      await behind!.flush()
      assert.deepEqual(await db.query(SEEN), [{ session_id: id, seen_at: T0 }])
      now += 59 * SECOND
      node!.note(used)
      await node!.flush()
      assert.deepEqual(await db.query(SEEN), [{ session_id: id, seen_at: T0 }])
      now += SECOND
      node!.note(used)
      await node!.flush()
      assert.deepEqual(await db.query(SEEN), [{ session_id: id, seen_at: formatTime(now) }])
    })
  })
}
