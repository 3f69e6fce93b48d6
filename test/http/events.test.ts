import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fastify from 'fastify'
import type { HighWaterMark } from '../../src/events/log/high-water-mark.ts'
import { createStreams } from '../../src/events/stream/sse.ts'
import { createEventStream, type Sink } from '../../src/events/stream/stream.ts'
import type { EventRow } from '../../src/events/types.ts'
import { SECOND, systemClock } from '../../src/kernel/base/clock.ts'
import { StoreUnavailable, sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, isSignedIn, type Person, signInNative } from '../helpers/client.ts'
import { createDatabase, openAt, postgres, type Scope } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { EventStreamClient } from '../helpers/sse.ts'
import { PATIENCE_MS, until } from '../helpers/until.ts'

interface Account {
  server: TestServer
  person: Person
  sessionId: string
  token: string
  /** seconds that the server's clock is ahead */
  later(seconds: number): void
}

const byToken = (token: string) => ({ 'x-session-token': token })
const admin = (server: TestServer, method: string, path: string, json?: unknown) =>
  new Client(server).send(method, `${server.adminUrl}/admin${path}`, json === undefined ? {} : { json })
const setState = ({ server, person }: Account, value: string) =>
  admin(server, 'PATCH', `/identities/${person.identityId}`, [{ op: 'replace', path: '/state', value }])

type House = Pick<Account, 'server' | 'later'>

async function house(t: Scope, config: Record<string, unknown> = {}): Promise<House> {
  const wall = systemClock()
  let ahead = 0
  const clock = { now: () => wall.now() + ahead }
  const server = await testServer(t, { backend: postgres, clock, config })
  return { server, later: (seconds) => (ahead += seconds * SECOND) }
}

async function move(into: House): Promise<Account> {
  const person = await createPerson(into.server)
  return { ...into, person, ...(await signInNative(into.server, person)) }
}

const account = async (t: Scope, config: Record<string, unknown> = {}) => move(await house(t, config))

/** Every way in which a session ends. Each throws when the server does not say that it is done. */
const WAYS: Record<string, { actor: string; end(a: Account): Promise<unknown>; config?: Record<string, unknown> }> = {
  logout: {
    actor: 'identity',
    end: ({ server, token }) =>
      expect(204, new Client(server).send('DELETE', '/self-service/logout/api', { json: { session_token: token } })),
  },
  revoked_by_user: {
    actor: 'identity',
    async end({ server, person, sessionId }) {
      const other = await signInNative(server, person)
      await expect(204, new Client(server).send('DELETE', `/sessions/${sessionId}`, { headers: byToken(other.token) }))
    },
  },
  revoked_by_admin: {
    actor: 'admin',
    end: ({ server, sessionId }) => expect(204, admin(server, 'DELETE', `/sessions/${sessionId}`)),
  },
  expired: {
    actor: 'system',
    async end({ server, later }) {
      later(25 * 3600)
      await server.deps.collector.round()
    },
  },
  identity_disabled: { actor: 'admin', end: (a) => expect(200, setState(a, 'inactive')) },
  identity_deleted: {
    actor: 'admin',
    end: ({ server, person }) => expect(204, admin(server, 'DELETE', `/identities/${person.identityId}`)),
  },
  credentials_changed: {
    actor: 'identity',
    end: ({ server, person }) => server.deps.sessions.revokeAllOf(person.identityId, 'credentials_changed'),
  },
  limit: {
    actor: 'system',
    end: ({ server, person, sessionId }) =>
      server.deps.sessions.revokeAllOf(person.identityId, 'limit', { only: [sessionId] }),
  },
}

async function expect(status: number, reply: Promise<{ status: number; text: string }>): Promise<void> {
  const got = await reply
  assert.equal(got.status, status, got.text)
}

async function endsOf({ server, sessionId }: Account) {
  return (await admin(server, 'GET', `/events?session_id=${sessionId}&type=session.ended`)).body
}

const REFUSE = `create function refuse_events() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
  create trigger refuse before insert on lethe.events for each row execute function refuse_events()`

describe('an ended session', () => {
  const endings: (() => Promise<void>)[] = []
  let shared: House
  before(async () => {
    shared = await house({ after: (work) => void endings.push(work) })
  })
  after(async () => {
    for (const work of endings.reverse()) await work()
  })

  for (const [cause, { actor, end }] of Object.entries(WAYS)) {
    test(`${cause}: is one event, whatever comes after`, async () => {
      const a = await move(shared)
      await end(a)
      assert.equal(await isSignedIn(new Client(a.server), byToken(a.token)), false)
      const [event, ...more] = await endsOf(a)
      assert.deepEqual(more, [])
      assert.equal(event.cause, cause)
      assert.equal(event.actor.type, actor)
      assert.deepEqual([event.session_id, event.identity_id], [a.sessionId, a.person.identityId])
      assert.ok(event.device.user_agent.length > 0)
      // every other way is tried on top
      for (const way of Object.values(WAYS)) await way.end(a).catch(() => {})
      assert.deepEqual(await endsOf(a), [event])
    })

    test(`${cause}: without its event it does not end`, async () => {
      const a = await move(shared)
      // the second session that one of the ways needs must begin before events are refused
      const other = await signInNative(a.server, a.person)
      await a.server.db.script(REFUSE)
      if (cause === 'revoked_by_user') {
        const headers = byToken(other.token)
        assert.equal((await new Client(a.server).send('DELETE', `/sessions/${a.sessionId}`, { headers })).status, 500)
      } else await end(a).catch(() => {})
      a.later(-25 * 3600 * (cause === 'expired' ? 1 : 0))
      await a.server.db.script('drop trigger refuse on lethe.events; drop function refuse_events()')
      assert.equal(await isSignedIn(new Client(a.server), byToken(a.token)), true)
      assert.deepEqual(await endsOf(a), [])
    })
  }

  test('all of an identity, deleted by an admin, are one event each', async () => {
    const a = await move(shared)
    const other = await signInNative(a.server, a.person)
    await expect(204, admin(a.server, 'DELETE', `/identities/${a.person.identityId}/sessions`))
    const events = (await admin(a.server, 'GET', `/events?identity_id=${a.person.identityId}&type=session.ended`)).body
    assert.deepEqual(events.map((e: any) => e.session_id).sort(), [a.sessionId, other.sessionId].sort())
    assert.deepEqual(
      events.map((e: any) => e.cause),
      ['revoked_by_admin', 'revoked_by_admin'],
    )
  })
})

describe('sessions of an identity that is disabled', () => {
  test('count again when it is enabled, which is told; their later end is told too', async (t) => {
    const a = await account(t)
    const ended = await signInNative(a.server, a.person)
    await expect(200, setState(a, 'inactive'))
    await expect(200, setState(a, 'inactive'))
    await expect(204, admin(a.server, 'DELETE', `/sessions/${ended.sessionId}`))
    await expect(200, setState(a, 'active'))
    assert.equal(await isSignedIn(new Client(a.server), byToken(a.token)), true)
    assert.equal(await isSignedIn(new Client(a.server), byToken(ended.token)), false)
    await WAYS.logout!.end(a)
    const told = async (id: string) =>
      (await admin(a.server, 'GET', `/events?session_id=${id}`)).body.map((e: any) => e.cause ?? e.type).reverse()
    assert.deepEqual(await told(a.sessionId), ['session.created', 'identity_disabled', 'session.resumed', 'logout'])
    assert.deepEqual(await told(ended.sessionId), ['session.created', 'identity_disabled'])
  })

  test('stay ended where it is so configured', async (t) => {
    const a = await account(t, { lethe: { sessions: { identity_disabled: 'end' } } })
    await expect(200, setState(a, 'inactive'))
    await expect(200, setState(a, 'active'))
    assert.equal(await isSignedIn(new Client(a.server), byToken(a.token)), false)
    assert.deepEqual(
      (await endsOf(a)).map((e: any) => e.cause),
      ['identity_disabled'],
    )
  })
})

describe('the list of events', () => {
  test('goes page by page along its links', async (t) => {
    const a = await account(t)
    for (let i = 0; i < 4; i++) await signInNative(a.server, a.person)
    const all = (await admin(a.server, 'GET', '/events')).body.map((e: any) => e.id)
    assert.equal(all.length, 5)
    const walked: string[] = []
    for (let path: string | undefined = '/admin/events?page_size=2&type=session.created'; path; ) {
      const reply = await new Client(a.server).get(a.server.adminUrl + path)
      walked.push(...reply.body.map((e: any) => e.id))
      path = /<([^>]+)>; rel="next"/.exec(reply.headers.get('link') ?? '')?.[1]
    }
    assert.deepEqual(walked, all)
  })

  test('refuses what it cannot read with 400', async (t) => {
    const server = await testServer(t, { backend: postgres })
    const odd = [
      '%00',
      '%ff',
      "'",
      '-1',
      '9'.repeat(400),
      '{}',
      'null',
      '1e9',
      '9007199254740993-1',
      '0-9007199254740993',
    ]
    for (const name of ['type', 'cause', 'session_id', 'identity_id', 'since', 'until', 'page_size', 'page_token']) {
      for (const value of odd) {
        const { status } = await fetch(`${server.adminUrl}/admin/events?${name}=${value}`)
        assert.equal(status, 400, `${name}=${value.slice(0, 30)}`)
      }
    }
    assert.equal((await fetch(`${server.adminUrl}/admin/events/stream?after=x`)).status, 400)
    const headers = { 'last-event-id': '-1' }
    assert.equal((await fetch(`${server.adminUrl}/admin/events/stream`, { headers })).status, 400)
  })

  test('is not on the public port', async (t) => {
    const server = await testServer(t, { backend: postgres })
    for (const path of ['/events', '/admin/events', '/events/stream', '/admin/events/stream']) {
      assert.equal((await fetch(server.publicUrl + path)).status, 404, path)
    }
  })
})

const COUNTS = sql(
  'test.counts',
  `select (select count(*) from sessions where not active) as ended,
    (select count(*) from lethe.events where type = 'session.ended') as told,
    (select count(*) from sessions s where not s.active and not exists (
      select from lethe.events e where e.session_id = s.id and e.type = 'session.ended')) as untold,
    (select count(*) from sessions s where s.active and exists (
      select from lethe.events e where e.session_id = s.id and e.type = 'session.ended')) as lies`,
)

test('on two nodes, whatever happens at once, there are as many ends as ended sessions', async (t) => {
  const url = await createDatabase(t, { migrated: true })
  const nodes = await Promise.all([0, 1].map(async () => testServer(t, { db: await openAt(t, url) })))
  const person = await createPerson(nodes[0]!)
  const live: { sessionId: string; token: string }[] = []
  for (let i = 0; i < 6; i++) live.push(await signInNative(nodes[0]!, person))
  let seed = 7
  const draw = (n: number) => {
    seed = (seed * 48271) % 2147483647
    return seed % n
  }
  const identity = (await nodes[0]!.deps.sessions.resolve({
    sessionToken: live[0]!.token,
    cookieTokens: [],
    bearer: undefined,
  }))!.session.identity
  const step = async () => {
    const { deps } = nodes[draw(2)]!
    const one = live[draw(live.length)]!
    const session = { id: one.sessionId } as Parameters<typeof deps.sessions.revoke>[0]
    switch (draw(8)) {
      case 0:
      case 1:
      case 2: {
        const device = { ip_address: '192.0.2.1', user_agent: 'test', location: '' }
        const begun = await deps.sessions.issue({
          identity,
          authentication: { method: 'password', aal: 'aal1' },
          device,
        })
        return void live.push({ sessionId: begun.session.id, token: begun.token })
      }
      case 3:
        return deps.sessions.revoke(session, 'logout')
      case 4:
        return deps.sessions.revokeByToken(one.token, 'logout')
      case 5:
        return deps.sessionManagement.revoke(one.sessionId)
      case 6:
        return deps.sessionManagement.extend(one.sessionId)
      default:
        return draw(10) === 0 && deps.sessions.revokeAllOf(identity.id, 'revoked_by_user', { except: one.sessionId })
    }
  }
  const worker = async () => {
    for (let i = 0; i < 100; i++) await step()
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  const [counts] = await nodes[0]!.db.query<{ ended: number; told: number; untold: number; lies: number }>(COUNTS)
  assert.ok(counts!.ended > 50, `only ${counts!.ended} ended`)
  assert.deepEqual({ ...counts, ended: counts!.told }, { ended: counts!.told, told: counts!.ended, untold: 0, lies: 0 })
})

describe('the page of events', () => {
  test('is off on a public address unless it is switched on, and takes no script but its own', async (t) => {
    const server = await testServer(t, { config: { serve: { admin: { host: '0.0.0.0' } } } })
    const page = () => fetch(`${server.adminUrl}/admin/events/page`)
    const script = () => fetch(`${server.adminUrl}/admin/events/page.js`)
    assert.deepEqual([(await page()).status, (await script()).status], [404, 404])
    await server.reconfigure({ lethe: { events: { page: true } } })
    assert.deepEqual([(await page()).status, (await script()).status], [200, 200])
    await server.reconfigure({ lethe: { events: { page: null } }, serve: { admin: { host: '127.0.0.1' } } })
    const answer = await page()
    assert.match(
      answer.headers.get('content-security-policy') ?? '',
      /default-src 'none'; script-src 'self'; style-src 'sha256-/,
    )
    assert.doesNotMatch(await (await script()).text(), /innerHTML|document\.write|eval\(/)
    assert.equal((await fetch(`${server.publicUrl}/events/page`)).status, 404)
  })
})

describe('the stream of events', () => {
  test('tells on one node what another did, and goes on where a client was cut off', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const [here, there] = await Promise.all([0, 1].map(async () => testServer(t, { db: await openAt(t, url) })))
    const person = await createPerson(here!)
    const stream = await EventStreamClient.open(`${here!.adminUrl}/admin/events/stream`)
    assert.equal(stream.response.headers['content-type'], 'text/event-stream; charset=utf-8')
    const first = await signInNative(there!, person)
    await WAYS.logout!.end({ server: there!, ...first } as Account)
    const [created, ended] = await stream.take(2)
    assert.deepEqual([created!.event, ended!.event], ['session.created', 'session.ended'])
    assert.deepEqual([ended!.data.session_id, ended!.data.cause], [first.sessionId, 'logout'])
    stream.close()
    const missed = await signInNative(there!, person)
    const again = await EventStreamClient.open(`${there!.adminUrl}/admin/events/stream`, {
      'last-event-id': ended!.id!,
    })
    const next = await signInNative(here!, person)
    assert.deepEqual(
      (await again.take(2)).map(({ data }) => data.session_id),
      [missed.sessionId, next.sessionId],
    )
    again.close()
    // everything from the beginning, filtered
    const ends = await EventStreamClient.open(`${here!.adminUrl}/admin/events/stream?after=0&type=session.ended`)
    assert.deepEqual((await ends.take(1))[0]!.data, ended!.data)
    ends.close()
    const last = await EventStreamClient.open(`${here!.adminUrl}/admin/events/stream?last=2`)
    assert.deepEqual(
      (await last.take(2)).map(({ data }) => data.session_id),
      [missed.sessionId, next.sessionId],
    )
    last.close()
  })

  test('says so when what a client has missed is no longer kept', async (t) => {
    const a = await account(t)
    await a.server.reconfigure({ lethe: { events: { retention: '1s' } } })
    a.later(60)
    await a.server.deps.collector.round()
    const stream = await EventStreamClient.open(`${a.server.adminUrl}/admin/events/stream?after=0`)
    const [gap] = await stream.take(1)
    assert.equal(gap!.event, 'gap')
    assert.ok(gap!.data.deleted_up_to > 0)
    stream.close()
  })

  test('tells of what is gone before what is still kept, at no position beyond it', async (t) => {
    const h = await house(t)
    const wanted = { id: 'r', url: 'http://127.0.0.1:9', events: ['session.ended'], enabled: false }
    await expect(201, admin(h.server, 'POST', '/events/webhooks', wanted))
    const [one, two] = [await move(h), await move(h)]
    for (const a of [one, two]) await WAYS.logout!.end(a)
    await move(h)
    await h.server.reconfigure({ lethe: { events: { retention: '1s' } } })
    h.later(60)
    await h.server.deps.collector.round()
    const stream = await EventStreamClient.open(`${h.server.adminUrl}/admin/events/stream?after=0`)
    const told = await stream.take(3)
    stream.close()
    assert.deepEqual(
      told.map(({ event, data }) => [event, data.session_id]),
      [['gap', undefined], ...[one, two].map(({ sessionId }) => ['session.ended', sessionId])],
    )
    const [gap, ...ends] = told.map(({ id }) => Number(id!.split('.')[1]))
    assert.ok(gap! < ends[0]! && ends[0]! < ends[1]!, 'who is cut off after the gap skips what is kept')
    assert.ok(told[0]!.data.deleted_up_to > ends[1]!)
  })

  test('goes on where a browser was cut off, whatever its address asked for at first', async (t) => {
    const a = await account(t)
    const url = `${a.server.adminUrl}/admin/events/stream?last=1`
    const stream = await EventStreamClient.open(url)
    const [seen] = await stream.take(1)
    stream.close()
    const missed = [await signInNative(a.server, a.person), await signInNative(a.server, a.person)]
    const again = await EventStreamClient.open(url, { 'last-event-id': seen!.id! })
    assert.equal((await again.take(1))[0]!.data.session_id, missed[0]!.sessionId)
    again.close()
  })

  test('is refused beyond the number of listeners, and ends when the server stops', async (t) => {
    const a = await account(t, { lethe: { events: { stream: { max_listeners: 1 } } } })
    const url = `${a.server.adminUrl}/admin/events/stream`
    const stream = await EventStreamClient.open(url)
    assert.equal((await fetch(url)).status, 503)
    await a.server.close()
    assert.equal(await stream.next(), undefined)
  })

  test('that fails while it tells what was missed ends, so that the client comes again', {
    timeout: PATIENCE_MS,
  }, async (t) => {
    const db = await openAt(t, await createDatabase(t, { migrated: true }))
    const before = (step: string) => {
      if (step === 'events.floor') throw new StoreUnavailable('away')
    }
    const server = await testServer(t, { db: withFaults(db, { before }) })
    const stream = await EventStreamClient.open(`${server.adminUrl}/admin/events/stream?after=ffffffff.9`)
    assert.equal((await stream.take(1))[0]!.event, 'gap')
    assert.equal(await stream.next(), undefined)
  })

  /** A stream to a client that does not read yet. */
  async function unread(t: TestContext, work: (sink: Sink) => Promise<void> = async () => {}) {
    const streams = createStreams(() => ({ max_listeners: 1, max_listeners_per_identity: 1 }))
    const app = fastify()
    t.after(() => app.close())
    const opened = new Promise<{ sink: Sink; raw: NodeJS.WritableStream & { writableLength: number } }>((resolve) => {
      app.get('/', (_req, reply) =>
        streams.serve(reply, async (sink) => {
          resolve({ sink, raw: reply.raw })
          await work(sink)
        }),
      )
    })
    const client = send(await app.listen({ port: 0, host: '127.0.0.1' }), 'GET / HTTP/1.1\r\nhost: x\r\n\r\n').pause()
    t.after(() => client.destroy())
    return { ...(await opened), client }
  }

  test('that has ended before its client has read it takes no more: the write would stop the process', async (t) => {
    const { sink, raw } = await unread(t)
    const errors: Error[] = []
    raw.on('error', (error) => errors.push(error))
    let listens = true
    sink.onEnd(() => {
      listens = false
    })
    for (sink.write('x'); raw.writableLength < 100_000; await nextTurn()) sink.write('x'.repeat(50_000))
    sink.end()
    assert.equal(listens, false, 'events go on to gather for a client that reads no more')
    sink.write('a heartbeat')
    await nextTurn()
    assert.deepEqual([errors, sink.closed()], [[], true])
  })

  test('that tells more than a client can have unread waits for it', async (t) => {
    const event = { type: 'session.created', device: { user_agent: 'x'.repeat(10_000) } } as EventRow
    const mark = { epoch: 'e', number: 1, seq: 500, completeAt: 0, readAt: 0 }
    const stream = createEventStream({
      feed: { join: async () => ({ from: mark, leave() {} }), joinSession: assert.fail, position: () => undefined },
      highWaterMark: {
        follow: async () => ({ position: { ...mark, seq: 0 }, lost: false }),
      } as unknown as HighWaterMark,
      store: {
        read: async (after) => (after === 0 ? Array.from({ length: 500 }, (_, i) => ({ ...event, seq: i + 1 })) : []),
        last: async () => [],
        floor: async () => 0,
      },
      onLost() {},
    })
    const request = { filter: {}, after: { epoch: 'e', seq: 0 }, last: undefined }
    let over = false
    const { client, raw } = await unread(t, async (sink) => {
      await stream.open(request, sink)
      sink.end()
    })
    raw.on('close', () => {
      over = true
    })
    await until(() => over || raw.writableLength > 0, 'a full connection')
    let text = ''
    for await (const part of client.setEncoding('utf8')) text += part
    assert.equal(text.match(/^id: e\.\d+$/gm)?.length, 501)
  })
})

/** Over a connection of its own. */
function send(url: string, text: string): Socket {
  const { port, hostname } = new URL(url)
  return connect(Number(port), hostname, function (this: Socket) {
    this.write(text)
  }).on('error', () => {})
}

describe('the stream of a session', () => {
  const open = ({ server, token }: Account) =>
    EventStreamClient.open(`${server.publicUrl}/sessions/events`, byToken(token))

  test('is for who holds it', async (t) => {
    const a = await account(t)
    assert.equal((await fetch(`${a.server.publicUrl}/sessions/events`)).status, 401)
    assert.equal((await open({ ...a, token: 'x' })).response.statusCode, 401)
  })

  test('ends with the end of this session and no other', async (t) => {
    const a = await account(t)
    const stream = await open(a)
    const other = await signInNative(a.server, a.person)
    assert.equal((await stream.take(1))[0]!.event, 'session.active')
    await WAYS.logout!.end({ ...a, ...other })
    await WAYS.revoked_by_admin!.end(a)
    const [end] = await stream.take(1)
    assert.equal(end!.event, 'session.ended')
    assert.deepEqual([end!.data.session_id, end!.data.cause], [a.sessionId, 'revoked_by_admin'])
    assert.doesNotMatch(stream.raw, /identity|device|192\.|127\./)
    assert.equal(await stream.next(), undefined)
  })

  test('leaves nothing behind of callers that left before their answer could begin', async (t) => {
    const a = await account(t, { lethe: { events: { stream: { max_listeners: 2 } } } })
    const request = `GET /sessions/events HTTP/1.1\r\nhost: x\r\nx-session-token: ${a.token}\r\n\r\n`
    const waiting = send(a.server.publicUrl, request.repeat(5))
    await once(waiting, 'data')
    waiting.destroy()
    for (let i = 0; i < 20; i += 1) {
      const early = send(a.server.publicUrl, request)
      await once(early, 'connect')
      early.end(() => early.destroy())
    }
    const isOpen = async () => {
      const stream = await open(a)
      stream.close()
      return stream.response.statusCode === 200
    }
    await until(isOpen, 'a free place for a stream')
  })

  test('is one of few that an identity may have, whichever session asks; nobody takes those of others', async (t) => {
    const a = await account(t, { lethe: { events: { stream: { max_listeners_per_identity: 2 } } } })
    const second = await signInNative(a.server, a.person)
    const [one, two] = [await open(a), await open({ ...a, ...second })]
    for (const held of [a, { ...a, ...second }]) {
      const { response, ...refused } = await open(held)
      assert.deepEqual([response.statusCode, response.headers['retry-after']], [429, '5'], JSON.stringify(refused))
    }
    const other = await createPerson(a.server)
    const theirs = await open({ ...a, ...(await signInNative(a.server, other)) })
    assert.equal(theirs.response.statusCode, 200)
    one.close()
    await until(async () => {
      const again = await open(a)
      again.close()
      return again.response.statusCode === 200
    }, 'the place of the one that was closed')
    two.close()
    theirs.close()
  })

  test('ends when its time is over, without waiting for the collector', async (t) => {
    const a = await account(t, { session: { lifespan: '2s' } })
    const stream = await open(a)
    const [, end] = await stream.take(2)
    assert.deepEqual([end!.event, end!.data.cause], ['session.ended', 'expired'])
    assert.equal(await stream.next(), undefined)
  })
})
