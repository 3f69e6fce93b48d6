import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, type Micros, SECOND } from '../../src/kernel/base/clock.ts'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, type Person, signInNative } from '../helpers/client.ts'
import type { Backend, Scope } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

export interface Op {
  kind:
    | ('login' | 'refresh' | 'whoami' | 'extend' | 'import' | 'collect' | 'disable' | 'revival')
    | ('logoutUrl' | 'logoutNative' | 'logoutPost' | 'logoutOthers' | 'logoutAll' | 'logoutNamed')
    | ('ownOther' | 'ownOthers' | 'adminRevoke' | 'adminDeleteAll' | 'profile' | 'setPassword')
  node: number
  session: number
  other: number
  person: number
}

interface Known {
  id: string
  token: string
  of: KnownPerson
  /** the password that it was begun with */
  password: string
  /** the changes of the account that it had made when it was told that it has ended */
  changes?: string[]
  /** somebody began to end it, or its time may be over */
  mayHaveEnded: boolean
  /** it was told that it has ended, or it let nobody in once */
  over: boolean
  /** it lives at least until then */
  until: Micros
}

type KnownPerson = Person & {
  /** replacements in this step */
  replacements: number
}

const LIFE = 3600 * SECOND

const ENDS = sql(
  'test.story_ends_world',
  `select s.id, (select count(*) from lethe.events e where e.session_id = s.id and e.type = 'session.ended') as ends
   from unnest($1::uuid[]) as s (id)`,
)
/** What a refresh login of Kratos writes that began before the logout. */
const REVIVE = sql('test.revive', 'update sessions set active = true where id = $1')

/** Every name that a person was given, once it is committed; each is given by one session alone. */
const NOTE_NAMES = `
  create table story_names (name text not null);
  create function story_note() returns trigger language plpgsql as $$ begin
    insert into story_names select new.traits -> 'name' ->> 'first' where new.traits -> 'name' ->> 'first' <> '';
    return null;
  end $$;
  create trigger story_note after update on identities for each row
    when (old.traits is distinct from new.traits) execute function story_note()`
const NAMES = sql(
  'test.story_names',
  `select s.id, array(select n.name from story_names n where starts_with(n.name, s.id::text) order by n.name)::text[] as names
   from unnest($1::uuid[]) as s (id)`,
)

export type World = Awaited<ReturnType<typeof createWorld>>

/** Two nodes with one database and one clock, and stories that are told on them. */
export async function createWorld(scope: Scope, backend: Backend) {
  let now: Micros = 1_795_000_000 * SECOND
  const clock: Clock = { now: () => (now += 1000) }
  const db = await backend.open(scope)
  await db.script(NOTE_NAMES)
  const config = {
    session: { lifespan: '1h' },
    lethe: {
      sessions: { identity_disabled: 'end', end_on_password_change: 'all' },
      limits: { login: { per_address: 0, per_identifier: 0 } },
    },
  }
  let chance = chances(0)
  // Every statement waits for some time or none, so that steps meet in any order.
  const before = async () => {
    if (chance() < 0.5) await sleep(chance() * 6)
  }
  const options = { db: withFaults(db, { before }), clock, config }
  const nodes = [await testServer(scope, options), await testServer(scope, options)]
  const used = new Set<string>()
  return {
    /** @param delays where the delays of the story come from, so that a seed of fast-check tells it again */
    begin(delays: number) {
      chance = chances(delays)
      const time = { now: () => now, pass: (by: Micros) => (now += by) }
      return begin(nodes as [TestServer, TestServer], { time, used, chance })
    },
    unused: (kinds: readonly string[]) => [...new Set(kinds)].filter((kind) => !used.has(kind)),
  }
}

/** Numbers from 0 to 1 that follow from the seed. */
export function chances(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

async function begin(
  nodes: [TestServer, TestServer],
  { time, used, chance }: { time: { now(): Micros; pass(by: Micros): void }; used: Set<string>; chance: () => number },
) {
  const known = async (node: TestServer): Promise<KnownPerson> => ({ ...(await createPerson(node)), replacements: 0 })
  const people = [await known(nodes[0]), await known(nodes[1])]
  const sessions: Known[] = []
  let names = 0
  const add = (of: KnownPerson, { sessionId, token }: { sessionId: string; token: string }, password = of.password) => {
    const until = time.now() + LIFE - SECOND
    sessions.push({ id: sessionId, token, of, password, mayHaveEnded: false, over: false, until })
  }
  const namesOf = async (of: readonly Known[]) =>
    new Map(
      (await nodes[0].db.query<{ id: string; names: string[] }>(NAMES, [of.map(({ id }) => id)])).map((row) => [
        row.id,
        row.names,
      ]),
    )
  for (const of of people) add(of, await signInNative(nodes[0], of))

  async function look(s: Known, node: TestServer): Promise<void> {
    const { over } = s
    const { status } = await new Client(node).get('/sessions/whoami', { 'x-session-token': s.token })
    assert.ok(status === 200 || status === 401, `whoami answered ${status}`)
    if (over) assert.equal(status, 401, 'a session that had ended lets somebody in')
    if (!s.mayHaveEnded && time.now() < s.until) assert.equal(status, 200, 'a session was lost that nobody ended')
    if (status === 401) s.over = true
  }

  /** What may end `victims`. @param act gives those of them that the answer says are gone; true: all */
  async function ending(kind: string, victims: Known[], act: () => Promise<boolean | Known[]>): Promise<void> {
    for (const victim of victims) victim.mayHaveEnded = true
    const gone = await act()
    if (gone === false) return
    const over = gone === true ? victims : gone
    const changes = await namesOf(over)
    for (const victim of over) {
      victim.over = true
      victim.changes ??= changes.get(victim.id)!
    }
    if (gone === true || gone.length > 0) used.add(kind)
  }

  async function replacePassword(of: KnownPerson, node: TestServer): Promise<boolean> {
    const password = `another-Harbour-${names++}`
    of.password = password
    of.replacements += 1
    const json = {
      ...{ schema_id: 'default', state: 'active', traits: { email: of.email } },
      credentials: { password: { config: { password } } },
    }
    const { status } = await new Client(node).send('PUT', `${node.adminUrl}/admin/identities/${of.identityId}`, {
      json,
    })
    assert.equal(status, 200)
    return true
  }

  async function one(op: Op, sessionsNow: readonly Known[]): Promise<void> {
    // A renewal takes several requests; an end is to meet each of them.
    await sleep(chance() * (op.kind === 'refresh' || op.kind === 'profile' ? 0 : 40))
    const node = nodes[op.node]!
    const s = sessionsNow[op.session % sessionsNow.length]!
    const other = sessionsNow[op.other % sessionsNow.length]!
    const mine = sessionsNow.filter(({ of }) => of === s.of)
    const others = mine.filter((one) => one !== s)
    const client = new Client(node)
    const headers = { 'x-session-token': s.token }
    const told = async (method: string, target: string, json?: unknown) => {
      const reply = await client.send(method, target, json === undefined ? { headers } : { headers, json })
      assert.ok(
        [200, 204, 400, 401, 403, 404].includes(reply.status),
        `${op.kind} answered ${reply.status}: ${reply.text}`,
      )
      return reply.status < 300 ? reply : undefined
    }
    const done = async (...call: Parameters<typeof told>) => (await told(...call)) !== undefined
    /** Who is gone already is told so, and then nothing else was done; the ids tell the two apart. */
    const post = async (json: object): Promise<string[] | undefined> =>
      (await told('POST', '/self-service/logout', json))?.body.revoked
    const admin = `${node.adminUrl}/admin`
    switch (op.kind) {
      case 'whoami':
        used.add(op.kind)
        return look(s, node)
      case 'login': {
        const who = people[op.person % people.length]!
        const flow = (await client.get('/self-service/login/api')).body
        const { password } = who
        const json = { method: 'password', identifier: who.email, password }
        const { status, body } = await client.send('POST', flow.ui.action, { json })
        // 401: disabled a moment ago; 400: the password was replaced
        const replaced = status === 400 && who.replacements > 0
        assert.ok(status === 200 || status === 401 || replaced, `login answered ${status}`)
        if (status === 200) add(who, { sessionId: body.session.id, token: body.session_token }, password)
        used.add(op.kind)
        return
      }
      case 'refresh': {
        const flow = await client.get('/self-service/login/api?refresh=true', headers)
        if (flow.status !== 200 || flow.body.refresh !== true) return
        const json = { method: 'password', identifier: s.of.email, password: s.of.password }
        if (await done('POST', flow.body.ui.action, json)) used.add(op.kind)
        return
      }
      case 'extend':
        if (await done('PATCH', `${admin}/sessions/${s.id}/extend`)) used.add(op.kind)
        return
      case 'import':
        people.push(await known(node))
        used.add(op.kind)
        return
      case 'collect':
        await node.deps.collector.round()
        used.add(op.kind)
        return
      case 'revival':
        // Only what Lethe knows to have ended has a tombstone; Kratos's own ends are Kratos's own to undo.
        if (!s.over || time.now() >= s.until) return
        await node.db.query(REVIVE, [s.id])
        used.add(op.kind)
        return
      case 'disable':
        return ending(op.kind, mine, async () => {
          const patch = (value: string) => [{ op: 'replace', path: '/state', value }]
          const disabled = await done('PATCH', `${admin}/identities/${s.of.identityId}`, patch('inactive'))
          await told('PATCH', `${admin}/identities/${s.of.identityId}`, patch('active'))
          return disabled
        })
      case 'profile': {
        const flow = await client.get('/self-service/settings/api', headers)
        if (flow.status !== 200) return
        const traits = { email: s.of.email, name: { first: `${s.id} ${names++}` } }
        if (await done('POST', flow.body.ui.action, { method: 'profile', traits })) used.add(op.kind)
        return
      }
      case 'setPassword':
        return ending(op.kind, mine, () => replacePassword(s.of, node))
      case 'logoutUrl':
        return ending(op.kind, [s], async () => {
          const { status, body } = await client.get('/self-service/logout/browser', headers)
          return status === 200 && done('GET', `/self-service/logout?token=${body.logout_token}`)
        })
      case 'logoutNative':
        return ending(op.kind, [s], () => done('DELETE', '/self-service/logout/api', { session_token: s.token }))
      case 'logoutPost':
        return ending(op.kind, [s], async () => (await post({})) !== undefined)
      case 'logoutAll':
        return ending(op.kind, mine, async () => ((await post({ scope: 'all' }))?.length ? mine : [s]))
      case 'logoutOthers':
        return ending(op.kind, others, async () => ((await post({ scope: 'others' }))?.length ? others : []))
      case 'logoutNamed':
        return ending(op.kind, other.of === s.of ? [other] : [], async () => {
          const revoked = await post({ session_ids: [other.id] })
          return revoked?.includes(other.id) ? [other] : []
        })
      case 'ownOther':
        return ending(op.kind, other.of === s.of && other !== s ? [other] : [], () =>
          done('DELETE', `/sessions/${other.id}`),
        )
      case 'ownOthers':
        return ending(op.kind, others, () => done('DELETE', '/sessions'))
      case 'adminRevoke':
        return ending(op.kind, [s], () => done('DELETE', `${admin}/sessions/${s.id}`))
      case 'adminDeleteAll':
        return ending(op.kind, mine, () => done('DELETE', `${admin}/identities/${s.of.identityId}/sessions`))
    }
  }

  return {
    passTime() {
      time.pass(LIFE / 2)
    },
    async together(ops: readonly Op[]) {
      const before = [...sessions]
      await Promise.all(ops.map((op) => one(op, before)))
      for (const person of people) {
        // Which of two at once is the last one is not told.
        if (person.replacements > 1) await replacePassword(person, nodes[0])
        person.replacements = 0
      }
      for (const s of sessions) if (s.password !== s.of.password) s.over = true
      // Those that were begun meanwhile may have been swept along.
      const sweeping = ['logoutAll', 'logoutOthers', 'ownOthers', 'adminDeleteAll', 'disable', 'setPassword']
      if (!ops.some(({ kind }) => sweeping.includes(kind))) return
      for (const s of sessions.slice(before.length)) s.mayHaveEnded = true
    },
    /** Both nodes are asked about every session, before and after its time, and the log is read. */
    async conclude() {
      for (const node of nodes) await Promise.all(sessions.map((s) => look(s, node)))
      time.pass(2 * LIFE)
      await nodes[0].deps.collector.round()
      for (const s of sessions) s.over = true
      for (const node of nodes) await Promise.all(sessions.map((s) => look(s, node)))
      const changes = await namesOf(sessions)
      for (const s of sessions) {
        if (s.changes) assert.deepEqual(changes.get(s.id), s.changes, 'a session that had ended changed the account')
      }
      const ends = await nodes[0].db.query<{ ends: number }>(ENDS, [sessions.map(({ id }) => id)])
      assert.deepEqual([...new Set(ends.map((row) => row.ends))], [1], 'every end is one event')
    },
  }
}
