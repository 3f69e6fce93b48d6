import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from '../../src/kernel/db/client.ts'
import { createDatabase, openAt, type Scope } from '../helpers/db.ts'
import { ListFollower, neverBack, placeOf, StreamFollower } from '../helpers/followers.ts'
import { held } from '../helpers/held.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

const LOG = sql('test.log', 'select seq, id, session_id from lethe.events order by seq')

interface Slot {
  node: TestServer
  restart(): Promise<void>
}

/** A node that can end without a word and be there again with nothing that it knew. */
async function slot(t: Scope, url: string): Promise<Slot> {
  const made: Slot = {
    node: await testServer(t, { db: await openAt(t, url) }),
    async restart() {
      const before = made.node
      made.node = await testServer(t, { db: await openAt(t, url) })
      await before.close()
      await before.db.close()
    },
  }
  return made
}

describe('one order for all nodes', () => {
  test('who changes node at random is told everything once, and no place goes back', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const db = await openAt(t, url)
    const slots = [await slot(t, url), await slot(t, url)]
    const any = () => slots[randomInt(2)]!.node
    const { nid } = any().deps.meta
    const acknowledged = new Map<string, number>()
    const streams = [new StreamFollower(), new StreamFollower()]
    const lists = [new ListFollower(), new ListFollower()]
    for (const stream of streams) await stream.connect(any(), '0')
    let writing = true

    const writer = async (rounds: number) => {
      for (let i = 0; i < rounds; i++) {
        const on = any()
        try {
          const { session } = await signedIn(on)
          await on.deps.sessions.revoke(session, 'logout')
          acknowledged.set(session.id, Date.now())
        } catch (error) {
          if (on === slots[0]!.node || on === slots[1]!.node) throw error
        }
      }
    }
    const holder = async () => {
      while (writing) acknowledged.set(await held(url, nid, () => sleep(randomInt(5, 60))), Date.now())
    }
    const reading = async (follower: StreamFollower) => {
      while (writing) {
        await sleep(randomInt(5, 80))
        await follower.disconnect()
        for (;;) {
          const failed = await follower.connect(any()).catch((error: unknown) => error)
          if (failed === undefined) break
        }
      }
    }
    const asking = async (follower: ListFollower) => {
      while (writing) {
        await follower.ask(any()).catch(() => undefined)
        await sleep(randomInt(1, 20))
      }
    }
    const others = [holder(), ...streams.map(reading), ...lists.map(asking)]
    await Promise.all([writer(8), writer(8), writer(8)])
    await slots[0]!.restart()
    await Promise.all([writer(8), writer(8), slots[1]!.restart()])
    await Promise.all([writer(8), slots[0]!.restart(), slots[1]!.restart()])
    writing = false
    await Promise.all(others)

    const log = await db.query<{ seq: number; id: string; session_id: string }>(LOG)
    const newest = log.at(-1)!.seq
    for (const stream of streams) {
      while ((stream.events.at(-1)?.seq ?? 0) < newest) await sleep(10)
      await stream.disconnect()
      assert.deepEqual(
        stream.events.map(({ id }) => id),
        log.map(({ id }) => id),
      )
      assert.deepEqual(
        stream.told.filter(({ event }) => event === 'gap'),
        [],
      )
      neverBack(stream.places)
    }
    for (const list of lists) {
      while (placeOf(list.answers.at(-1)!.cursor).seq < newest) await list.ask(any())
      neverBack(list.answers.map(({ cursor }) => cursor))
      const all = list.answers.flatMap(({ sessions }) => sessions)
      assert.equal(new Set(all).size, all.length, 'an end was told twice')
      assert.deepEqual(new Set(all), new Set(acknowledged.keys()))
      assert.deepEqual(
        list.answers.slice(1).filter(({ reset }) => reset),
        [],
      )
    }
    const seqOf = new Map(log.map(({ session_id, seq }) => [session_id, seq]))
    // the clock of the database is that of this machine
    for (const { completeUpTo, cursor } of lists.flatMap(({ answers }) => answers)) {
      for (const [id, at] of acknowledged) {
        assert.ok(at >= completeUpTo || seqOf.get(id)! <= placeOf(cursor).seq, 'said to be complete, and was not')
      }
    }
  })

  test('a node that has just started knows what the others know, while a transaction is open', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const old = await testServer(t, { db: await openAt(t, url) })
    const end = async () => {
      const { session } = await signedIn(old)
      await old.deps.sessions.revoke(session, 'logout')
      return session.id
    }
    const before = await Promise.all(Array.from({ length: 20 }, end))
    await new ListFollower().ask(old)
    await held(url, old.deps.meta.nid, async () => {
      const opened = Date.now()
      const during = await end()
      const fresh = await testServer(t, { db: await openAt(t, url) })
      const list = await new ListFollower().ask(fresh)
      assert.deepEqual(new Set(list.sessions), new Set(before))
      assert.ok(list.completeUpTo <= opened, 'what is held back counts as known')
      assert.ok(!list.sessions.includes(during))
      const stream = new StreamFollower()
      await stream.connect(fresh)
      while (stream.place === undefined) await sleep(5)
      assert.equal(stream.place, list.cursor)
      assert.deepEqual(stream.events, [])
      await stream.disconnect()
    })
  })

  test('places of the present log, of earlier releases and of another log are taken', async (t) => {
    const server = await testServer(t, {})
    const list = new ListFollower()
    const empty = await list.ask(server)
    assert.match(empty.cursor, /^[0-9a-f]{8}\.0$/)
    for (let i = 0; i < 3; i++) await server.deps.sessions.revoke((await signedIn(server)).session, 'logout')
    const { cursor, reset: again, sessions: first } = await list.ask(server)
    assert.deepEqual([again, first.length], [false, 3], 'what comes after an empty log is new')
    const { seq } = placeOf(cursor)
    const told = async (after: string) => {
      const url = `${server.adminUrl}/admin/sessions/revocations?after=${after}`
      const { reset, sessions } = (await (await fetch(url)).json()) as any
      return [reset, sessions.length]
    }
    assert.deepEqual(await told(cursor), [false, 0])
    assert.deepEqual(await told(String(seq - 2)), [false, 1])
    assert.deepEqual(await told('0'), [true, 3])
    for (const elsewhere of [`00000000.${seq}`, String(seq + 1), cursor.replace(/\d+$/, String(seq + 1))]) {
      assert.deepEqual(await told(elsewhere), [true, 3], elsewhere)
      const stream = new StreamFollower()
      await stream.connect(server, elsewhere)
      while (stream.events.length < 6) await sleep(5)
      assert.deepEqual(
        stream.told.map(({ event }) => event).filter((event) => event === 'gap'),
        ['gap'],
      )
      await stream.disconnect()
    }
    for (const bad of ['x', '1.2', 'zzzzzzzz.1', '-1', '12345678901234567', `${cursor}.1`]) {
      const url = `${server.adminUrl}/admin/events/stream`
      assert.equal((await fetch(`${url}?after=${bad}`)).status, 400, bad)
      assert.equal((await fetch(url, { headers: { 'last-event-id': bad } })).status, 400, bad)
    }
  })
})
