import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { createHasher } from '../../src/kernel/crypto/passwords/passwords.ts'
import { sql } from '../../src/kernel/db/client.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import { postgres } from '../helpers/db.ts'
import { cheapHasherSettings } from '../helpers/hasher.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

const BUILD = 'app="kratos",buildTime="",hash="",version="v26.2.0"'

/** The series of a scrape, by name with labels in alphabetical order. */
async function scrape({ adminUrl }: TestServer, path = '/admin/metrics/prometheus'): Promise<Map<string, number>> {
  const answer = await fetch(adminUrl + path)
  assert.equal(answer.status, 200)
  return series(await answer.text())
}

function series(text: string): Map<string, number> {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const [, name, labels = '', value] = /^([a-zA-Z_:0-9]+)(?:\{(.*)\})? (\S+)$/.exec(line)!
        const sorted = (labels.match(/\w+="[^"]*"/g) ?? []).sort().join(',')
        return [sorted === '' ? name! : `${name}{${sorted}}`, Number(value)]
      }),
  )
}

const labels = (...parts: string[]) => [...BUILD.split(','), ...parts].sort().join(',')

describe('metrics', () => {
  test('are on the admin port, with and without prefix, and not on the public one', async (t) => {
    const server = await testServer(t)
    for (const path of ['/metrics/prometheus', '/admin/metrics/prometheus']) {
      const answer = await fetch(server.adminUrl + path)
      assert.equal(answer.status, 200)
      assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores')
      assert.equal((await fetch(server.publicUrl + path)).status, 404)
    }
    const seen = await scrape(server)
    assert.equal(seen.get('promhttp_metric_handler_requests_total{code="200"}'), 2)
    assert.equal(seen.get('promhttp_metric_handler_requests_in_flight'), 1)
  })

  test('requests are counted under names and labels that dashboards for Kratos know', async (t) => {
    const server = await testServer(t)
    const { headers } = await signedIn(server)
    await fetch(`${server.publicUrl}/sessions/whoami?x=1`, { headers })
    await fetch(`${server.publicUrl}/sessions/whoami`)
    const seen = await scrape(server)
    const whoami = ['endpoint="/sessions/whoami"', 'method="get"']
    for (const code of ['200', '401']) {
      assert.equal(seen.get(`http_requests_total{${labels(`code="${code}"`, ...whoami)}}`), 1)
      assert.equal(seen.get(`http_requests_duration_seconds_count{${labels(`code="${code}"`, ...whoami)}}`), 1)
    }
    assert.equal(seen.get(`http_response_time_seconds_count{${labels('endpoint="/sessions/whoami"')}}`), 2)
    assert.equal(seen.get(`http_requests_statuses_total{${labels('method="GET"', 'status_bucket="4xx"')}}`), 1)
    assert.equal(seen.get(`http_requests_size_bytes_count{${labels('code="200"', 'method="get"')}}`), 1)
    assert.ok(seen.get(`http_response_size_bytes_sum{${labels('code="200"', 'method="get"')}}`)! > 100)
    const buckets = [...seen.keys()].filter((key) => key.startsWith('http_requests_duration_seconds_bucket'))
    const limits = new Set(buckets.map((key) => /le="([^"]+)"/.exec(key)?.[1]))
    const expected = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf']
    assert.deepEqual([...limits], expected)
  })

  test('a label holds a route, never what a client wrote', async (t) => {
    const server = await testServer(t)
    const id = '11111111-2222-4333-8444-555555555555'
    await fetch(`${server.adminUrl}/identities/${id}`)
    await fetch(`${server.adminUrl}/admin/identities/${id}?x=secret`)
    await fetch(`${server.adminUrl}/identities/${id}/credentials/password`, { method: 'DELETE' })
    await fetch(`${server.publicUrl}/self-service/secret-path`)
    await fetch(`${server.publicUrl}/sessions/whoami`, { method: 'PROPFIND' })
    const seen = await scrape(server)
    const counted = [...seen].filter(([key]) => key.startsWith('http_requests_total'))
    assert.deepEqual(
      counted.map(([key, count]) => [/endpoint="([^"]+)"/.exec(key)![1], count]),
      [
        ['/admin/identities/{param}', 2],
        ['/admin/identities/{param}/credentials/{param}', 1],
      ],
    )
    assert.doesNotMatch([...seen.keys()].join('\n'), /secret|1111/)
  })

  test('every end of a session is counted once, under its cause', async (t) => {
    const server = await testServer(t)
    const ended = async () =>
      Object.fromEntries(
        [...(await scrape(server))]
          .filter(([key, count]) => key.startsWith('lethe_sessions_ended_total') && count > 0)
          .map(([key, count]) => [/cause="(\w+)"/.exec(key)![1], count]),
      )
    assert.deepEqual(await ended(), {})
    assert.equal((await scrape(server)).get('lethe_sessions_ended_total{cause="expired"}'), 0)

    const one = await signedIn(server)
    const native = {
      method: 'DELETE',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ session_token: one.token }),
    }
    await fetch(`${server.publicUrl}/self-service/logout/api`, native)
    await fetch(`${server.publicUrl}/self-service/logout/api`, native)
    const two = await signedIn(server)
    await server.deps.sessions.revoke(two.session, 'logout')
    const mine = await signedIn(server)
    for (let i = 0; i < 2; i++) await signedIn(server, mine.session.identity)
    await fetch(`${server.publicUrl}/sessions`, { method: 'DELETE', headers: mine.headers })
    const byAdmin = `${server.adminUrl}/admin/sessions/${mine.session.id}`
    for (let i = 0; i < 2; i++) await fetch(byAdmin, { method: 'DELETE' })
    const removed = await signedIn(server)
    await fetch(`${server.adminUrl}/admin/identities/${removed.session.identity_id}/sessions`, { method: 'DELETE' })
    const deleted = await signedIn(server)
    await fetch(`${server.adminUrl}/admin/identities/${deleted.session.identity_id}`, { method: 'DELETE' })
    const disabled = await signedIn(server)
    await server.deps.identities.patch(disabled.session.identity_id, [
      { op: 'replace', path: '/state', value: 'inactive' },
    ])
    assert.deepEqual(await ended(), {
      ...{ logout: 2, revoked_by_user: 2, revoked_by_admin: 2 },
      ...{ identity_deleted: 1, identity_disabled: 1 },
    })
  })

  test('calls that share a statement are counted', async (t) => {
    const server = await testServer(t)
    const { headers } = await signedIn(server)
    await fetch(`${server.publicUrl}/sessions/whoami`, { headers })
    assert.equal((await scrape(server)).get('lethe_db_batch_size_count'), 1)
  })
})

describe('metrics of what lies below', () => {
  const create = () => createMetrics({ version: 'v1', causes: [], processMetrics: false })

  test('statements by name, failures apart, and the pool', async (t) => {
    const metrics = create()
    const db = await postgres.open(t, { onStatement: metrics.statement, maxConnections: 1 })
    metrics.watchPool(() => db.connections?.())
    const failing = sql('test.fails', 'select 1/0 as x')
    await Promise.all([db.query(sql('test.works', 'select 1 as x')), db.query(failing).catch(() => {})])
    const seen = series(await metrics.text())
    assert.equal(seen.get('lethe_db_statement_duration_seconds_count{name="test.works"}'), 1)
    assert.equal(seen.get('lethe_db_statement_duration_seconds_count{name="test.fails"}'), 1)
    assert.equal(seen.get('lethe_db_statement_failures_total{name="test.fails"}'), 1)
    assert.equal(seen.get('lethe_db_statement_failures_total{name="test.works"}'), undefined)
    const pool = ['used', 'idle', 'waiting'].map((state) => seen.get(`lethe_db_pool_connections{state="${state}"}`))
    assert.deepEqual(pool, [0, 1, 0])
    await db.tx(async () => {
      const waiting = db.query(failing).catch(() => {})
      const during = series(await metrics.text())
      const states = ['used', 'idle', 'waiting'].map((state) =>
        during.get(`lethe_db_pool_connections{state="${state}"}`),
      )
      assert.deepEqual(states, [1, 0, 1])
      return { waiting }
    })
  })

  test('password hashes under way and waiting', async () => {
    const metrics = create()
    const highest = { running: 0, waiting: 0 }
    const hasher = createHasher(() => cheapHasherSettings, {
      random: randomBytes,
      concurrency: 1,
      onLoad(running, waiting) {
        highest.running = Math.max(highest.running, running)
        highest.waiting = Math.max(highest.waiting, waiting)
        metrics.hashing(running, waiting)
      },
    })
    await Promise.all([hasher.hash('a'), hasher.hash('b'), hasher.hash('c')])
    assert.deepEqual(highest, { running: 1, waiting: 2 })
    const seen = series(await metrics.text())
    assert.equal(seen.get('lethe_hashing_jobs{state="running"}'), 0)
    assert.equal(seen.get('lethe_hashing_jobs{state="waiting"}'), 0)
  })

  test('memory and processor of the process, under the names that all exporters use', async () => {
    const text = await createMetrics({ version: 'v1', causes: [], processMetrics: true }).text()
    for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'process_start_time_seconds'])
      assert.match(text, new RegExp(`^${name} `, 'm'))
  })
})
