import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { SECOND } from '../../src/kernel/base/clock.ts'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, csrfOf, PASSWORD, type Person, signInNative } from '../helpers/client.ts'
import { adopted, closingScope, pglite, postgres } from '../helpers/db.ts'
import { type TestServer, type TestServerOptions, testServer } from '../helpers/server.ts'

const TABLES = sql(
  'test.tables_erasure',
  `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and n.nspname in ('public', 'lethe')`,
)
const ENDS = sql(
  'test.ends_of_identity',
  `select cause, device from lethe.events where identity_id = $1 and type = 'session.ended'`,
)
const EVENTS = sql('test.event_ids', 'select seq from lethe.events')
/** All messages were sent but the last. */
const QUEUED_LAST = sql(
  'test.send_messages',
  `update courier_messages set status = 2 where id <> (select id from courier_messages order by created_at desc, id limit 1)`,
)
const MESSAGES = sql('test.messages_left', 'select status from courier_messages')
const FLOWS = sql('test.flow_ids', 'select id from selfservice_login_flows order by id')

/** Every table in which one of the words stands, also in the middle of a text. */
async function tablesWith(db: Db, words: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const { name } of await db.query<{ name: string }>(TABLES)) {
    const within = sql(
      `test.words_in_${name}`,
      `select from ${name} t, unnest($1::text[]) word where position(word in lower(t::text)) > 0 limit 1`,
    )
    if ((await db.query(within, [words])).length > 0) found.push(name)
  }
  return found.sort()
}

/** Somebody who has been everywhere, and the words that only they left. */
async function everywhere(server: TestServer, kinds: readonly string[] = ['recovery', 'verification']) {
  const agent = `Agent-${randomBytes(6).toString('hex')}`
  const last = `Zephyr${randomBytes(6).toString('hex')}`
  const person = await createPerson(server, { name: { first: 'Ann', last } })
  const headers = { 'user-agent': agent }
  const flowOf = async (client: Client, path: string) => (await client.get(path, headers)).body
  const submit = (client: Client, { ui }: any, json: object) =>
    client.send('POST', ui.action, { json: { csrf_token: csrfOf({ ui }), ...json }, headers })
  const { email } = person

  const browser = new Client(server)
  const login = await flowOf(browser, `/self-service/login/browser?login_hint=${encodeURIComponent(email)}`)
  await submit(browser, login, { method: 'password', identifier: email.toUpperCase(), password: 'wrong-Harbour-11' })
  await submit(browser, login, { method: 'password', identifier: email, password: PASSWORD })
  const settings = await flowOf(browser, '/self-service/settings/browser')
  await submit(browser, settings, { method: 'profile', traits: { email: 'no address', name: { first: 'Ann', last } } })
  await signInNative(server, person)

  const another = new Client(server)
  const registration = await flowOf(another, '/self-service/registration/browser')
  const traits = { email, name: { first: 'Ann', last } }
  await submit(another, registration, { method: 'password', traits, password: PASSWORD })
  for (const kind of kinds) {
    const client = new Client(server)
    const flow = await flowOf(client, `/self-service/${kind}/browser`)
    const { status } = await submit(client, flow, { method: 'code', email })
    assert.ok(status < 500, `${kind} ${status}`)
  }
  await server.deps.lastSeen.flush()
  return { person, words: [email, agent, last].map((word) => word.toLowerCase()) }
}

const erase = (server: TestServer, id: string, query = '?erase=true') =>
  new Client(server).send('DELETE', `${server.adminUrl}/admin/identities/${id}${query}`)

for (const backend of [pglite, postgres, adopted]) {
  describe(`erasing one person on ${backend.name}`, () => {
    const scope = closingScope()
    let server: TestServer
    /** Nothing is sent or collected but by the test. */
    async function quiet(options: TestServerOptions) {
      const made = await testServer(scope, { wireConfig: 'recovery-continue', ...options })
      for (const work of made.deps.background) await work.stop()
      return made
    }
    before(async () => {
      server = await quiet({ backend })
    })
    after(() => scope.close())

    it('takes what names the identity at once and the rest with the next round; ends are still counted', async () => {
      const { person, words } = await everywhere(server)
      const stranger = await everywhere(server)
      const ofStranger = await tablesWith(server.db, stranger.words)
      const flows = await server.db.query(FLOWS)
      const held = await tablesWith(server.db, words)
      for (const table of [
        'public.courier_messages',
        'public.selfservice_login_flows',
        'public.session_devices',
        'lethe.events',
      ])
        assert.ok(held.includes(table), `${table} was to hold something`)

      assert.equal((await erase(server, person.identityId)).status, 204)
      const left = await tablesWith(server.db, words)
      const typed = left.filter((table) => !/\.(selfservice_\w+_flows|continuity_containers|erasures)$/.test(table))
      assert.deepEqual(typed, [], 'at once')

      await server.deps.collector.round()
      assert.deepEqual(await tablesWith(server.db, words), [])
      const ends = await server.db.query<{ cause: string; device: unknown }>(ENDS, [person.identityId])
      assert.deepEqual(
        ends.map(({ cause, device }) => [cause, device]),
        [
          ['identity_deleted', null],
          ['identity_deleted', null],
        ],
      )
      assert.deepEqual(await tablesWith(server.db, stranger.words), ofStranger, 'what others left stays')
      assert.ok((await server.db.query(FLOWS)).length >= flows.length / 2)
    })

    it('is possible for an identity that was deleted before, by id; an unknown one is not found', async () => {
      const { person, words } = await everywhere(server, [])
      assert.equal((await erase(server, person.identityId, '')).status, 204)
      const agent = words.slice(1, 2)
      assert.deepEqual(await tablesWith(server.db, agent), ['lethe.events'])
      assert.equal((await erase(server, person.identityId)).status, 204)
      assert.deepEqual(await tablesWith(server.db, agent), [])
      await server.deps.collector.round()
      assert.equal((await erase(server, '7f1f3a60-0000-4000-8000-000000000000')).status, 404)
    })

    it('takes nothing of another person whose address holds this one', async () => {
      const login = async (identifier: string) => {
        const client = new Client(server)
        const flow = (await client.get('/self-service/login/browser')).body
        const json = { method: 'password', identifier, password: PASSWORD, csrf_token: csrfOf(flow) }
        assert.equal((await client.send('POST', flow.ui.action, { json })).status, 400)
        return flow.id as string
      }
      const created = await new Client(server).send('POST', `${server.adminUrl}/admin/identities`, {
        json: { schema_id: 'default', traits: { email: 'o.b+1@erase.example' } },
      })
      assert.equal(created.status, 201)
      const own = [await login('O.b+1@erase.example'), await login('o.b+1@erase.example')]
      const like = ['bo.b+1@erase.example', 'o.b+1@erase.example.org', 'oxb+1@erase.example', 'x-o.b+1@erase.example']
      const others = [await login(like[0]!), await login(like[1]!), await login(like[2]!), await login(like[3]!)]
      await erase(server, created.body.id)
      await server.deps.collector.round()
      const left = new Set((await server.db.query<{ id: string }>(FLOWS)).map(({ id }) => id))
      assert.deepEqual(
        [own, others].map((ids) => ids.filter((id) => left.has(id))),
        [[], others],
      )
    })

    it('forgets devices and messages when their time is over, and keeps the events', async () => {
      const { words } = await everywhere(server, ['recovery'])
      const agent = words.slice(1, 2)
      const later = await quiet({
        db: server.db,
        clock: { now: () => Date.now() * 1000 + 3600 * SECOND },
        config: { lethe: { events: { device_retention: '30m' }, gc: { message_retention: '30m' } } },
      })
      const before = (await server.db.query(EVENTS)).length
      await server.db.query(QUEUED_LAST)
      await later.deps.collector.round()
      assert.deepEqual((await tablesWith(server.db, agent)).includes('lethe.events'), false)
      assert.equal((await server.db.query(EVENTS)).length, before)
      assert.deepEqual(await server.db.query(MESSAGES), [{ status: 1 }], 'one that is still to be sent stays')
    })

    it('refuses what is neither yes nor no before it does anything', async () => {
      const person: Person = await createPerson(server)
      assert.equal((await erase(server, person.identityId, '?erase=yes')).status, 400)
      const { status } = await new Client(server).get(`${server.adminUrl}/admin/identities/${person.identityId}`)
      assert.equal(status, 200)
    })
  })
}
