/**
 * What telling everyone of ended sessions costs and how long it takes: `npm run bench:events -- [--sessions N]
 * [--rounds N] [--samples N] [--listeners N] [--operations N] [--json FILE]`. Two servers on one real Postgres with
 * fsync; each part checks what it measures, and a wrong answer ends the run.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { exportJWK, generateKeyPair } from 'jose'
import pg from 'pg'
import { migrateUp } from '../src/kernel/db/migrations/migrate.ts'
import { openDb } from '../src/kernel/db/open.ts'
import { createVerifier } from '../src/verifier/index.ts'
import { startPostgres } from '../test/helpers/postgres.ts'
import { EventStreamClient } from '../test/helpers/sse.ts'
import type { Command, NodeOptions } from './events-node.ts'
import { commit } from './machine.ts'
import { load } from './processes.ts'
import { revive, seed } from './seed.ts'

const { values: args } = parseArgs({
  options: {
    sessions: { type: 'string', default: '60000' },
    rounds: { type: 'string', default: '15' },
    samples: { type: 'string', default: '200' },
    listeners: { type: 'string', default: '2000' },
    operations: { type: 'string', default: '20000' },
    json: { type: 'string' },
  },
})
const progress = (text: string) => process.stderr.write(`${text}\n`)
const postgres = await startPostgres(['unix_socket_directories=', 'max_connections=200', 'shared_buffers=256MB'])
const db = await openDb(postgres.url)
await migrateUp(db)
await db.close()
const children: ChildProcess[] = []
const results: Record<string, unknown> = {}

for (const [name, part] of Object.entries({ count, speed, crowd, price })) {
  progress(name)
  results[name] = await part()
  console.log(name, JSON.stringify(results[name]))
}
if (args.json !== undefined) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }
  writeFileSync(args.json, `${JSON.stringify({ commit: commit(), machine, ...results }, null, 2)}\n`)
}
for (const child of children) child.disconnect()
await postgres.stop()
process.exit()

/** Logouts a second with and without the log, in turns, by one node and 64 connections. */
async function price() {
  const sessions = Number(args.sessions)
  const nodes = await Promise.all([node({}), node({ withoutLog: true })])
  const { nid } = await query('select id as nid from networks order by created_at, id limit 1')
  await seed(postgres.url, String(nid), sessions)
  const rates: [number[], number[]] = [[], []]
  for (let turn = 0; turn <= Number(args.rounds); turn++) {
    for (const which of turn % 2 === 0 ? [0, 1] : [1, 0]) {
      const url = new URL(nodes[which]!.publicUrl)
      const result = await load({
        ...{ host: url.hostname, port: Number(url.port), connections: 64, seconds: 2 },
        ...{ plan: 'native-logout', half: { first: 1, size: sessions }, sessions, secret: '' },
      })
      if (result.wrong.length > 0) throw new Error(result.wrong.join('\n'))
      const { told } = await query(`select count(*) as told from lethe.events where type = 'session.ended'`)
      if (Number(told) !== (which === 0 ? result.requests : 0)) throw new Error(`${told} of ${result.requests} told`)
      // the first turn warms up
      if (turn > 0) rates[which as 0].push(result.requests / result.seconds)
      await revive(postgres.url)
    }
  }
  // what else the machine does changes from minute to minute: each pair by itself
  const ratios = rates[0].map((rate, turn) => rate / rates[1][turn]!)
  const [withLog, without] = rates.map((list) => round(median(list)))
  return {
    logoutsPerSecond: { withLog, without },
    ratio: round(median(ratios), 3),
    turns: ratios.map((r) => round(r, 2)),
  }
}

/** Everything at random on two nodes: as many ends as ended sessions, to the row. */
async function count() {
  const nodes = await Promise.all([node({}), node({})])
  const operations = Number(args.operations) / 2
  await Promise.all(nodes.map((one, i) => one.ask({ do: 'workload', operations, concurrency: 16, seed: 7 + i })))
  const counts = await query(`
    select (select count(*) from lethe.events where type = 'session.created') as begun,
      (select count(*) from lethe.events where type = 'session.ended') as ends_told,
      (select count(*) from lethe.events where type = 'session.resumed') as taken_back,
      (select count(*) from (select 1 from lethe.events where type = 'session.ended' and not resumed
        group by session_id having count(*) > 1) x) as told_twice,
      (select count(*) from lethe.events c where c.type = 'session.created' and not exists (
          select from sessions s join identities i on i.id = s.identity_id
          where s.id = c.session_id and s.active and i.state = 'active')
        and not exists (select from lethe.events e
          where e.session_id = c.session_id and e.type = 'session.ended' and not e.resumed)
        -- begun for an identity that was disabled a moment before: it never let anyone in
        and not exists (select from identities i
          where i.id = c.identity_id and i.state = 'inactive' and i.state_changed_at <= c.created_at)) as untold,
      (select count(*) from sessions s join identities i on i.id = s.identity_id
        where s.active and i.state = 'active' and exists (select from lethe.events e
          where e.session_id = s.id and e.type = 'session.ended' and not e.resumed)) as told_and_live`)
  for (const name of ['untold', 'told_twice', 'told_and_live']) {
    if (counts[name] !== '0') throw new Error(`${name}: ${counts[name]}`)
  }
  return counts
}

/** Revoked on one node: when a stream of the other tells it, and when a verifier rejects its token. */
async function speed() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const keys = { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256' }] }
  const jwks_url = `base64://${Buffer.from(JSON.stringify(keys)).toString('base64')}`
  const config = { session: { whoami: { tokenizer: { templates: { jwt: { ttl: '10m', jwks_url } } } } } }
  const [a, b] = await Promise.all([node({ config }), node({ config })])
  const made: { id: string; token: string }[] = await a.ask({
    do: 'issue',
    count: Number(args.samples),
    concurrency: 8,
  })
  const jwts = await Promise.all(
    made.map(async ({ token }) => {
      const answer = await fetch(`${a.publicUrl}/sessions/whoami?tokenize_as=jwt`, {
        headers: { 'x-session-token': token },
      })
      return ((await answer.json()) as { tokenized: string }).tokenized
    }),
  )
  const stream = await EventStreamClient.open(`${b.adminUrl}/admin/events/stream?type=session.ended`)
  const verifier = createVerifier({
    jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] },
    revocations: `${b.adminUrl}/admin/sessions/revocations`,
    stream: `${b.adminUrl}/admin/events/stream`,
  })
  await verifier.ready()
  await new Promise((resolve) => setTimeout(resolve, 300))
  const told: number[] = []
  const rejected: number[] = []
  for (const [i, { id, token }] of made.entries()) {
    await verifier.verify(jwts[i]!)
    const answer = await fetch(`${a.publicUrl}/self-service/logout/api`, {
      method: 'DELETE',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ session_token: token }),
    })
    if (answer.status !== 204) throw new Error(`logout answered ${answer.status}`)
    const done = performance.now()
    const heard = stream.next().then((message) => {
      if (message?.data.session_id !== id) throw new Error('the stream told of another session')
      told.push(performance.now() - done)
    })
    const refused = (async () => {
      while (
        await verifier.verify(jwts[i]!).then(
          () => true,
          () => false,
        )
      )
        await new Promise((resolve) => setTimeout(resolve, 2))
      rejected.push(performance.now() - done)
    })()
    await Promise.all([heard, refused])
    // not in step with the other node's turns
    await new Promise((resolve) => setTimeout(resolve, (i * 37) % 100))
  }
  stream.close()
  verifier.close()
  return { samples: told.length, streamMs: spread(told), verifierMs: spread(rejected) }
}

/** Many listeners of one node, each for its own session, which ends. */
async function crowd() {
  const listeners = Number(args.listeners)
  const [a, b] = await Promise.all([node({}), node({})])
  const made: { id: string; token: string }[] = await a.ask({ do: 'issue', count: listeners, concurrency: 16 })
  const before = await b.ask({ do: 'memory' })
  const delays: number[] = []
  const sent = new Map<string, number>()
  const open = made.map(
    ({ id, token }) =>
      new Promise<{ over: Promise<void> }>((opened, failed) => {
        const request = get(`${b.publicUrl}/sessions/events`, { agent: false, headers: { 'x-session-token': token } })
        request.on('error', failed)
        request.on('response', (response) => {
          if (response.statusCode !== 200)
            return failed(new Error(`the stream was answered with status ${response.statusCode}`))
          let text = ''
          const over = new Promise<void>((resolve) => response.on('close', resolve))
          response.on('data', (chunk) => {
            text += chunk
            if (text.includes('session.active')) opened({ over })
            if (text.includes('session.ended')) delays.push(performance.now() - sent.get(id)!)
          })
        })
      }),
  )
  const streams = await Promise.all(open)
  const after = await b.ask({ do: 'memory' })
  const tokens = made.map(({ token }) => token)
  for (let i = 0; i < tokens.length; i += 20) {
    const now = performance.now()
    for (const { id } of made.slice(i, i + 20)) sent.set(id, now)
    await a.ask({ do: 'logout', tokens: tokens.slice(i, i + 20), concurrency: 20 })
  }
  await Promise.all(streams.map(({ over }) => over))
  if (delays.length !== listeners) throw new Error(`${delays.length} of ${listeners} heard of their end`)
  const kilobytes = (key: 'rss' | 'heapUsed' | 'external') => round((after[key] - before[key]) / listeners / 1024)
  return {
    listeners,
    kilobytesEach: { resident: kilobytes('rss'), heap: kilobytes('heapUsed') },
    delayMs: spread(delays),
  }
}

async function node(options: Omit<NodeOptions, 'dsn'>) {
  const child = fork(new URL('events-node.ts', import.meta.url), [JSON.stringify({ dsn: postgres.url, ...options })], {
    execArgv: ['--import', 'tsx', '--expose-gc'],
  })
  children.push(child)
  const [urls] = (await once(child, 'message')) as [{ publicUrl: string; adminUrl: string; pid: number }]
  return {
    ...urls,
    // biome-ignore lint/suspicious/noExplicitAny: each command has its own answer
    async ask(command: Command): Promise<any> {
      child.send(command)
      return (await once(child, 'message'))[0]
    },
  }
}

async function query(text: string): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  const { rows } = await client.query(text)
  await client.end()
  return rows[0]
}

function median(values: number[]): number {
  return [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)]!
}

function spread(values: number[]) {
  const sorted = [...values].sort((x, y) => x - y)
  const at = (part: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!)
  return { median: at(0.5), p99: at(0.99), worst: at(1) }
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits))
}
