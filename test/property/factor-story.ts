import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, type Micros, SECOND } from '../../src/kernel/base/clock.ts'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, type Person, signInNative } from '../helpers/client.ts'
import type { Backend, Scope } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { codeAt, SECOND_FACTORS } from '../helpers/second-factor.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { chances } from './world.ts'

export const KINDS = [
  ...['login', 'refresh', 'look', 'profile', 'byApp', 'byCode', 'link', 'makeCodes', 'unlink', 'disableCodes'],
  ...['adminUnlink', 'logout', 'adminRevoke', 'endOthers', 'endAll'],
] as const

export interface Op {
  kind: (typeof KINDS)[number]
  node: number
  person: number
  session: number
}

export interface Step {
  ops: Op[]
  at?: number | undefined
}

interface Known {
  id: string
  token: string
  of: Person
  /** an answer said that it has a second factor */
  raised: boolean
  /** an answer said that it has ended */
  over: boolean
  mayHaveEnded: boolean
}

const FACTORS = sql(
  'test.story_factors',
  `select c.config ->> 'totp_url' as url, array(select r ->> 'code' from jsonb_array_elements(c.config -> 'recovery_codes') r
     where r -> 'used_at' = 'null') as unused
   from identity_credentials c join identity_credential_types t on t.id = c.identity_credential_type_id
   where c.identity_id = $1 and t.name in ('totp', 'lookup_secret')
     and (c.config ->> 'totp_url' <> '' or jsonb_array_length(c.config -> 'recovery_codes') > 0)`,
)
const ENDS = sql(
  'test.story_ends',
  `select (select count(*) from lethe.events e where e.session_id = s.id and e.type = 'session.ended')::int as ends
   from unnest($1::uuid[]) as s (id)`,
)

const [LIFE, PERIOD] = [3600 * SECOND, 30 * SECOND]
const PROVES = ['byApp', 'byCode']
const ADDS = ['link', 'makeCodes']
const REMOVES = ['unlink', 'disableCodes', 'adminUnlink']

/** Two nodes on one database, whose statements wait for some time or none, so that requests meet in any order. */
export async function createFactorWorld(scope: Scope, backend: Backend) {
  let now: Micros = 1_795_000_000 * SECOND
  const clock: Clock = { now: () => (now += 1000) }
  let chance = chances(0)
  const before = async () => {
    if (chance() < 0.5) await sleep(chance() * 6)
  }
  const config = {
    ...SECOND_FACTORS,
    session: { lifespan: '1h' },
    lethe: { limits: { login: { per_address: 0, per_identifier: 0 } } },
  }
  const db = await backend.open(scope)
  let interruption: Interruption | undefined
  const interrupted = async () => {
    if (!interruption || --interruption.statements > 0) return before()
    const { work } = interruption
    interruption = undefined
    // It may wait for a lock that the interrupted one holds.
    await Promise.race([work(), sleep(50)])
  }
  const nodes = [
    await testServer(scope, { db: withFaults(db, { before: interrupted }), clock, config }),
    await testServer(scope, { db: withFaults(db, { before }), clock, config }),
  ]
  const interrupt = (next: Interruption | undefined) => {
    interruption = next
  }
  const used = new Set<string>()
  return {
    /** @param delays a seed, so that the same one tells the same story as far as races repeat */
    begin(delays: number) {
      chance = chances(delays)
      return begin(nodes, { now: () => now, pass: (by) => (now += by) }, { used, chance, interrupt })
    },
    unused: () => KINDS.filter((kind) => !used.has(kind)),
  }
}

/** What happens on the other node before some statement of the first one. */
interface Interruption {
  /** from now until then */
  statements: number
  work(): Promise<unknown>
}

interface Telling {
  used: Set<string>
  chance(): number
  interrupt(next: Interruption | undefined): void
}

async function begin(
  nodes: TestServer[],
  time: { now(): Micros; pass(by: Micros): void },
  { used, chance, interrupt }: Telling,
) {
  const people = [await createPerson(nodes[0]!), await createPerson(nodes[0]!)]
  const sessions: Known[] = []
  let names = 0
  const add = (of: Person, { sessionId: id, token }: { sessionId: string; token: string }) =>
    sessions.push({ id, token, of, raised: false, over: false, mayHaveEnded: false })
  for (const of of people) add(of, await signInNative(nodes[0]!, of))

  const factorsOf = async ({ identityId }: Person) => {
    const rows = await nodes[0]!.db.query<{ url: string | null; unused: string[] }>(FACTORS, [identityId])
    const url = rows.find((row) => row.url !== null)?.url ?? ''
    const secret = url === '' ? '' : new URL(url).searchParams.get('secret')!
    return { any: rows.length > 0, secret, codes: rows.find((row) => row.url === null)?.unused ?? [] }
  }

  /** What all steps that run at the same time may and may not do. */
  interface Moment {
    sessions: readonly Known[]
    proving: ReadonlySet<Known>
    /** statements of the first node before which everything else happens; undefined: at any time */
    at: number | undefined
    /** people who have a second factor, whatever happens in this step */
    guarded: ReadonlySet<Person>
  }

  async function one(op: Op, moment: Moment): Promise<void> {
    // A proof takes several requests; an end is to meet each of them.
    if (moment.at === undefined) await sleep(chance() * (PROVES.includes(op.kind) ? 0 : 40))
    const node = nodes[op.node]!
    const s = moment.sessions[op.session % moment.sessions.length]!
    const client = new Client(node)
    const headers = { 'x-session-token': s.token }
    const admin = `${node.adminUrl}/admin`
    const done = () => void used.add(op.kind)
    /** @returns the reply of a success */
    const send = async (method: string, target: string, json?: object) => {
      const reply = await client.send(method, target, { headers, ...(json ? { json } : {}) })
      assert.ok(reply.status < 500 && reply.status !== 429, `${op.kind} answered ${reply.status}: ${reply.text}`)
      return reply.status < 300 ? reply : undefined
    }
    /** Nobody succeeds by a session that has ended. */
    const ask: typeof send = async (...call) => {
      const ended = s.over
      const reply = await send(...call)
      assert.ok(!reply || !ended, `${op.kind}: a session that had ended was served`)
      return reply
    }
    const guarded = moment.guarded.has(s.of) && !s.raised && !moment.proving.has(s)
    const askAtLevel: typeof ask = async (...call) => {
      const reply = await ask(...call)
      assert.ok(!reply || !guarded, `${op.kind}: a session of one factor was served where two are required`)
      return reply
    }
    const ending = async (victims: readonly Known[], work: () => ReturnType<typeof send>) => {
      for (const victim of victims) victim.mayHaveEnded = true
      if (!(await work())) return
      for (const victim of victims) victim.over = true
      done()
    }
    const submitSettings = async (json: (flow: any) => object | undefined) => {
      const flow = await askAtLevel('GET', '/self-service/settings/api')
      const form = flow && json(flow.body)
      return form && askAtLevel('POST', `/self-service/settings?flow=${flow.body.id}`, form)
    }
    const stepUp = async (json: object) => {
      const flow = await ask('GET', '/self-service/login/api?aal=aal2')
      if (!flow || !(await ask('POST', `/self-service/login?flow=${flow.body.id}`, json))) return
      s.raised = true
      done()
    }
    const shown = (flow: any, name: string) =>
      flow.ui.nodes.find(({ attributes: { id, name: own } }: any) => id === name || own === name)
    const mine = moment.sessions.filter(({ of }) => of === s.of)
    switch (op.kind) {
      case 'login':
        add(people[op.person]!, await signInNative(node, people[op.person]!))
        return done()
      case 'refresh': {
        const flow = await send('GET', '/self-service/login/api?refresh=true')
        if (flow?.body.refresh !== true) return
        const ended = s.over
        const json = { method: 'password', identifier: s.of.email, password: s.of.password }
        const session = (await send('POST', `/self-service/login?flow=${flow.body.id}`, json))?.body
        if (!session) return
        // Without the session it is a sign-in like any other.
        if (session.session.id === s.id) assert.ok(!ended, 'a session that had ended was renewed')
        else add(s.of, { sessionId: session.session.id, token: session.session_token })
        return done()
      }
      case 'look':
        if (await askAtLevel('GET', op.person === 0 ? '/sessions/whoami' : '/sessions')) done()
        return
      case 'profile': {
        const traits = { email: s.of.email, name: { first: `${s.id} ${names++}` } }
        if (await submitSettings(() => ({ method: 'profile', traits }))) done()
        return
      }
      case 'byApp':
        return stepUp({ method: 'totp', totp_code: codeAt(time.now() / SECOND, (await factorsOf(s.of)).secret) })
      case 'byCode': {
        const [first = 'none', second = first] = (await factorsOf(s.of)).codes
        return stepUp({ method: 'lookup_secret', lookup_secret: op.person === 0 ? first : second })
      }
      case 'link': {
        const linked = await submitSettings((flow) => {
          const secret = shown(flow, 'totp_secret_key')?.attributes.text.text
          return secret && { method: 'totp', totp_code: codeAt(time.now() / SECOND, secret) }
        })
        if (linked) [s.raised] = [true, done()]
        return
      }
      case 'makeCodes': {
        const flow = await askAtLevel('GET', '/self-service/settings/api')
        const path = `/self-service/settings?flow=${flow?.body.id}`
        if (!flow || !(await askAtLevel('POST', path, { lookup_secret_regenerate: true }))) return
        if (await askAtLevel('POST', path, { lookup_secret_confirm: true })) [s.raised] = [true, done()]
        return
      }
      case 'unlink':
        if (await submitSettings((flow) => shown(flow, 'totp_unlink') && { totp_unlink: true })) done()
        return
      case 'disableCodes':
        if (await submitSettings(() => ({ lookup_secret_disable: true }))) done()
        return
      case 'adminUnlink':
        if (await send('DELETE', `${admin}/identities/${s.of.identityId}/credentials/totp`)) done()
        return
      case 'logout':
        return ending([s], () => send('DELETE', '/self-service/logout/api', { session_token: s.token }))
      case 'adminRevoke':
        return ending([s], () => send('DELETE', `${admin}/sessions/${s.id}`))
      case 'endOthers': {
        const others = mine.filter((other) => other !== s)
        return ending(others, () => ask('DELETE', '/sessions'))
      }
      case 'endAll':
        return ending(mine, () => send('DELETE', `${admin}/identities/${s.of.identityId}/sessions`))
    }
  }

  async function interruptedAt(at: number, [first, ...others]: readonly Op[], moment: Moment): Promise<void> {
    let rest: Promise<unknown> | undefined
    const work = () => (rest ??= Promise.all(others.map((op) => one({ ...op, node: 1 }, moment))))
    interrupt({ statements: at, work })
    await one({ ...first!, node: 0 }, moment)
    interrupt(undefined)
    await work()
  }

  /** Nothing else happens: what a session is worth follows from what its requests were told. */
  async function look(s: Known, node: TestServer, hasFactor: boolean): Promise<void> {
    const headers = { 'x-session-token': s.token }
    const { status } = await new Client(node).get('/sessions/whoami', headers)
    if (s.over || (s.mayHaveEnded && status === 401)) {
      assert.equal(status, 401, 'a session that had ended is active')
      s.over = true
      return
    }
    assert.equal(status, s.raised || !hasFactor ? 200 : 403, `raised ${s.raised}, with a second factor ${hasFactor}`)
  }
  async function lookAt(some: readonly Known[]): Promise<void> {
    for (const person of people) {
      const { any } = await factorsOf(person)
      const own = some.filter(({ of }) => of === person)
      await Promise.all(nodes.flatMap((node) => own.map((s) => look(s, node, any))))
    }
  }

  return {
    /** @param at the first happens on the first node, and all others before that statement of it */
    async together({ ops, at }: Step) {
      const present = [...sessions]
      const of = ({ session }: Op) => present[session % present.length]!
      const removing = new Set(ops.filter(({ kind }) => REMOVES.includes(kind)).map((op) => of(op).of))
      const guarded = new Set<Person>()
      for (const person of people) if (!removing.has(person) && (await factorsOf(person)).any) guarded.add(person)
      const proving = new Set(ops.filter(({ kind }) => PROVES.includes(kind)).map(of))
      const adding = new Set(ops.filter(({ kind }) => ADDS.includes(kind)).map(of))
      const overBefore = new Set(present.filter(({ over }) => over))
      const raisedBefore = new Set(present.filter(({ raised }) => raised))
      const moment = { sessions: present, proving, guarded, at }
      if (at === undefined) await Promise.all(ops.map((op) => one(op, moment)))
      else await interruptedAt(at, ops, moment)
      // Those that were begun meanwhile may have been swept along.
      if (ops.some(({ kind }) => kind === 'endAll' || kind === 'endOthers'))
        for (const s of sessions.slice(present.length)) s.mayHaveEnded = true
      for (const person of people) {
        if (removing.has(person)) continue
        const first = [...adding].filter((s) => s.of === person && s.raised && !raisedBefore.has(s) && !proving.has(s))
        assert.ok(first.length <= 1, 'two sessions of one factor each set up the first second factor')
      }
      // The next code of an app; a session of an hour lives through the longest story.
      time.pass(PERIOD)
      await lookAt(sessions.filter((s) => !overBefore.has(s)))
    },
    async conclude() {
      await lookAt(sessions)
      time.pass(2 * LIFE)
      await nodes[0]!.deps.collector.round()
      for (const s of sessions) s.over = true
      await lookAt(sessions)
      const ends = await nodes[0]!.db.query<{ ends: number }>(ENDS, [sessions.map(({ id }) => id)])
      assert.deepEqual([...new Set(ends.map((row) => row.ends))], [1], 'every end is one event')
    },
  }
}
