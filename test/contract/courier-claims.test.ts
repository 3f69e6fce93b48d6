import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { createCourierStore } from '../../src/courier/store.ts'
import { createClaimStore } from '../../src/courier/store-claims.ts'
import { formatTime, parseTime, SECOND } from '../../src/kernel/base/clock.ts'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { loadMeta } from '../../src/kernel/db/meta.ts'
import { backends, isAdopted, type Scope } from '../helpers/db.ts'
import { T0 } from '../helpers/sessions.ts'

const ROWS = sql('test.claim_rows', 'select id, status, send_count, body from courier_messages order by created_at, id')
const TRIES = sql('test.claim_tries', 'select status, error from courier_message_dispatches order by created_at, id')
const PROCESSING = sql('test.claim_processing', 'update courier_messages set status = 3')
/** What Kratos's courier does in one transaction: the oldest queued ones become its own. */
const TAKEN_BY_KRATOS = sql(
  'test.taken_by_kratos',
  `with next as (select id from courier_messages where status = 1 order by created_at limit $1 for update skip locked)
  update courier_messages m set status = 3 from next where m.id = next.id returning m.id`,
)
const SENT_BY_KRATOS = sql('test.sent_by_kratos', 'update courier_messages set status = 2')
const at = (seconds: number) => formatTime(parseTime(T0) + seconds * SECOND)

async function fixture(
  t: Scope,
  open: (t: Scope) => Promise<Db>,
  messages = 1,
  recipientOf = (_i: number) => 'ida@example.com',
) {
  const db = await open(t)
  const kind = (await isAdopted(db)) ? 'adopted' : 'owned'
  const { nid } = await loadMeta(db, { kind, now: T0, random: randomBytes })
  const queue = createCourierStore(db, nid)
  const enqueue = (recipient: string, seconds = 0) =>
    queue.enqueue({
      ...{ id: randomUUID(), channel: 'email', recipient, subject: 's', body: 'code' },
      ...{ template: 'recovery_code_valid', data: '{"to":"ida@example.com"}', requestHeaders: '{}', now: at(seconds) },
    })
  for (let i = 0; i < messages; i++) await enqueue(recipientOf(i))
  const store = createClaimStore(db, nid)
  const claim = (seconds: number, more: { limit?: number; tries?: number } = {}) => {
    const id = randomUUID()
    const lease = { type: 1, now: at(seconds), limit: 10, id, until: at(seconds + 70), tries: 6, ...more }
    return store.claim(lease).then((rows) => rows.map((row) => ({ ...row, claim: id })))
  }
  const outcome = (row: { id: string; claim: string }, seconds: number, error?: string) => {
    return { messageId: row.id, claim: row.claim, dispatchId: randomUUID(), now: at(seconds), error }
  }
  const rows = () => db.query<{ status: number; send_count: number; body: string }>(ROWS)
  return { db, store, enqueue, claim, outcome, rows, tries: () => db.query<{ status: string; error: unknown }>(TRIES) }
}

for (const backend of backends())
  describe(`claims of messages on ${backend.name}`, () => {
    test('those who claim at once get each message once', async (t) => {
      const { claim } = await fixture(t, backend.open, 40)
      const claims = await Promise.all(Array.from({ length: 8 }, () => claim(1, { limit: 7 })))
      const ids = claims.flat().map(({ id }) => id)
      assert.equal(new Set(ids).size, ids.length)
      const rest = await claim(1, { limit: 100 })
      assert.equal(ids.length + rest.length, 40)
      assert.deepEqual(await claim(60, { limit: 100 }), [])
    })

    test('many messages to one domain hold up nobody elsewhere, and each domain keeps its order', async (t) => {
      const flood = (i: number) => `p${i}@${i % 2 ? 'Slow.example' : 'slow.EXAMPLE'}`
      const { enqueue, claim, outcome, store } = await fixture(t, backend.open, 300, flood)
      await enqueue('ida@mail.example', 10)
      await enqueue('ida@mail.example', 11)
      const of = (rows: { recipient: string }[]) =>
        rows.map(({ recipient }) => recipient.replace(/^.*@/, '').toLowerCase())
      const first = await claim(20)
      assert.deepEqual(of(first).filter((domain) => domain === 'mail.example').length, 2)
      assert.deepEqual(of(await claim(21, { limit: 1 })), ['slow.example'])
      await enqueue('bob@other.example', 22)
      assert.deepEqual(of(await claim(23, { limit: 1 })), ['other.example'], 'the slots of the flood are taken')
      const back = first.find(({ recipient }) => recipient === 'ida@mail.example')!
      await store.again(outcome(back, 24, '{"code":451}'), at(60), true)
      assert.deepEqual(of(await claim(25, { limit: 1 })), ['slow.example'], 'a message that waits is none under way')
      assert.equal((await claim(61, { limit: 1 }))[0]!.id, back.id)
    })

    test('a lease that has ended is taken over by one, who tells of the lost try; who lost it writes nothing', async (t) => {
      const { store, claim, outcome, rows, tries } = await fixture(t, backend.open)
      const [first] = await claim(0)
      assert.deepEqual(await claim(69), [])
      const takers = (await Promise.all([claim(71), claim(71), claim(71)])).flat()
      assert.equal(takers.length, 1)
      assert.equal(takers[0]!.send_count, 2)
      await store.finish(outcome(first!, 72), 'sent', true)
      const [row] = await rows()
      assert.deepEqual([row!.status, row!.body], [3, 'code'])
      await store.finish(outcome(takers[0]!, 73), 'sent', true)
      const [done] = await rows()
      assert.deepEqual([done!.status, done!.send_count, done!.body], [2, 2, ''])
      const written = await tries()
      assert.deepEqual(
        written.map(({ status }) => status),
        ['failed', 'success'],
      )
      assert.match(JSON.stringify(written[0]!.error), /may have arrived/)
    })

    test('a message that is put back waits for its time, and may not count as a try', async (t) => {
      const { store, claim, outcome, rows } = await fixture(t, backend.open)
      const [row] = await claim(0)
      await store.again(outcome(row!, 1, '{"code":451}'), at(30), true)
      assert.deepEqual(await claim(29), [])
      const [second] = await claim(30)
      assert.equal(second!.send_count, 2)
      await store.again(outcome(second!, 31, '{"code":535}'), at(40), false)
      assert.deepEqual([(await rows())[0]!.status, (await rows())[0]!.send_count], [1, 1])
    })

    test('when all tries were begun there is no other', async (t) => {
      const { claim, rows } = await fixture(t, backend.open)
      assert.deepEqual(
        (await claim(0, { tries: 1 })).map(({ spent }) => spent),
        [false],
      )
      assert.deepEqual(
        (await claim(100, { tries: 1 })).map(({ spent }) => spent),
        [true],
      )
      assert.equal((await rows())[0]!.send_count, 1)
    })

    test('a message that Kratos has taken is not claimed, and one that is claimed is not there for Kratos to take', async (t) => {
      const { db, claim, outcome, store } = await fixture(t, backend.open, 20)
      const byKratos = () => db.query<{ id: string }>(TAKEN_BY_KRATOS, [3])
      const [ours, theirs]: [string[], string[]] = [[], []]
      for (let i = 0; i < 5; i++) {
        const [claimed, taken] = await Promise.all([claim(1, { limit: 3 }), byKratos()])
        ours.push(...claimed.map(({ id }) => id))
        theirs.push(...taken.map(({ id }) => id))
        for (const row of claimed) await store.finish(outcome(row, 2), 'sent', true)
      }
      assert.equal(new Set([...ours, ...theirs]).size, ours.length + theirs.length)
      assert.equal(ours.length + theirs.length, 20)
      assert.ok(ours.length > 0 && theirs.length > 0)
    })

    test('a message that is put back may be sent by Kratos, and is then done for this courier', async (t) => {
      const { db, store, claim, outcome } = await fixture(t, backend.open)
      const [row] = await claim(0)
      await store.again(outcome(row!, 1, '{"code":451}'), at(30), true)
      const [taken] = await db.query<{ id: string }>(TAKEN_BY_KRATOS, [1])
      assert.equal(taken!.id, row!.id)
      assert.deepEqual(await claim(29), [])
      await db.query(SENT_BY_KRATOS)
      assert.deepEqual(await claim(1000), [])
    })

    test('what another courier is sending is left to it, and is taken when it has not come back', async (t) => {
      const { db, store, claim } = await fixture(t, backend.open)
      await db.query(PROCESSING)
      assert.deepEqual(await claim(0), [])
      await store.watchForeign(at(600), at(-86_400))
      await store.watchForeign(at(700), at(-86_400))
      assert.deepEqual(await claim(599), [])
      assert.equal((await claim(601)).length, 1)
    })
  })
