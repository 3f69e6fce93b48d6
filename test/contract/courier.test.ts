import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { createCourier } from '../../src/courier/service.ts'
import { createCourierStore } from '../../src/courier/store.ts'
import type { Message } from '../../src/courier/types.ts'
import { parseTime } from '../../src/kernel/base/clock.ts'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { loadMeta } from '../../src/kernel/db/meta.ts'
import { backends } from '../helpers/db.ts'
import { builtinTemplates } from '../helpers/message-templates.ts'
import { T0 } from '../helpers/sessions.ts'

const ROWS = sql(
  'test.courier_rows',
  `select type, channel, status, recipient, subject, body, template_type, convert_from(template_data, 'UTF8') as data,
    request_headers, send_count, created_at, updated_at
  from courier_messages order by created_at, recipient`,
)

const TEXT = `Someone asked to recover the account that belongs to this address. To go on, enter this code:

012345

It is valid for 60 minutes. If it was not you, you can ignore this message. Do not pass it on to anyone.
`

const code: Message = {
  type: 'recovery_code_valid',
  channel: 'email',
  recipient: 'ida@example.com',
  data: { to: 'ida@example.com', recovery_code: '012345', expires_in_minutes: 60 },
  requestHeaders: { 'User-Agent': ['curl'] },
}

async function courierOn(db: Db, kind: 'owned' | 'adopted') {
  const { nid } = await loadMeta(db, { kind, now: T0, random: randomBytes })
  const store = createCourierStore(db, nid)
  return createCourier({
    store,
    clock: { now: () => parseTime(T0) },
    random: randomBytes,
    limit: { assertAllowed: async () => {} },
    telephone: { code: async () => undefined, assertAllowed: async () => {} },
    noticeLimit: { assertAllowed: async () => {} },
    templates: await builtinTemplates(),
  })
}

for (const backend of backends()) {
  const kind = backend.name === 'adopted postgres' ? 'adopted' : 'owned'
  describe(`queue of messages on ${backend.name}`, () => {
    test('a message is a row as Kratos writes it, with its final texts', async (t) => {
      const db = await backend.open(t)
      await (await courierOn(db, kind)).enqueue(code)
      assert.deepEqual(await db.query(ROWS), [
        {
          type: 1,
          channel: 'email',
          status: 1,
          recipient: 'ida@example.com',
          subject: '012345 is your code to recover your account',
          body: TEXT,
          template_type: 'recovery_code_valid',
          data: '{"to":"ida@example.com","recovery_code":"012345","expires_in_minutes":60}',
          request_headers: { 'User-Agent': ['curl'] },
          send_count: 0,
          created_at: T0,
          updated_at: T0,
        },
      ])
    })

    test('it is there when its transaction has committed, and not when that was rolled back', async (t) => {
      const db = await backend.open(t)
      const courier = await courierOn(db, kind)
      const refused = db.tx(async (tx) => {
        await courier.enqueue(code, tx)
        throw new Error('refused later')
      })
      await assert.rejects(refused, /refused later/)
      assert.deepEqual(await db.query(ROWS), [])
      await db.tx((tx) => courier.enqueue({ ...code, channel: 'sms', recipient: '+4930123' }, tx))
      const [row] = await db.query<{ type: number; channel: string }>(ROWS)
      assert.deepEqual([row?.type, row?.channel], [2, 'sms'])
    })
  })
}
