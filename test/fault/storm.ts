import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { start } from '../cli/run.ts'
import type { Scope } from '../helpers/db.ts'
import { freePort } from '../helpers/free-port.ts'
import { type TestServer, WIRE_CONFIGS } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'

/** How many logouts a storm has: `FAULT_LOGOUTS=2000` for a long one. */
export const LOGOUTS = Number(process.env.FAULT_LOGOUTS ?? 300)
/** How often a test that is a matter of luck is played: `FAULT_RUNS=10` for a proof. */
export const RUNS = Number(process.env.FAULT_RUNS ?? 1)
/** `lethe.http.response_timeout` of the servers, and what a busy test machine may add to it. */
const RESPONSE_TIMEOUT_MS = 10_000
const SLACK_MS = 60_000
const AT_ONCE = 24

export interface Child {
  url: string
  adminUrl: string
  ready(): Promise<void>
  /** SIGSTOP, and SIGCONT after so many milliseconds: a laptop that sleeps, a container that is frozen */
  pause(ms: number): Promise<void>
  /** SIGKILL: nothing is finished, nothing is tidied up */
  kill(): Promise<void>
  /** SIGTERM: it finishes what it has begun */
  stop(): Promise<void>
  /** The same configuration and ports in a new process, which knows nothing of the one before. */
  startAgain(): void
}

/**
 * The server as a process of its own, ended with the test.
 * @param top keys of the configuration beside `lethe`
 * @param flags beyond the configuration; with `--dev`, the default, it does not wait for load balancers when it ends
 */
export async function serverProcess(
  t: Scope,
  dsn: string,
  lethe: object = {},
  flags = ['--dev'],
  top: object = {},
): Promise<Child> {
  const [publicPort, adminPort] = [await freePort(), await freePort()]
  const folder = await mkdtemp(join(tmpdir(), 'lethe-fault-'))
  const text = JSON.stringify({
    ...WIRE_CONFIGS.default,
    ...top,
    lethe: { http: { response_timeout: `${RESPONSE_TIMEOUT_MS}ms`, max_event_loop_delay: '0s' }, ...lethe },
  })
  const base = `http://127.0.0.1:${publicPort}`
  const file = join(folder, 'config.json')
  await writeFile(file, text.replaceAll('{{public}}', base).replaceAll('{{admin}}', `http://127.0.0.1:${adminPort}`))
  const env = {
    ...{ DSN: dsn, SERVE_PUBLIC_HOST: '127.0.0.1', SERVE_PUBLIC_PORT: String(publicPort) },
    ...{ SERVE_ADMIN_HOST: '127.0.0.1', SERVE_ADMIN_PORT: String(adminPort), LOG_LEVEL: 'error' },
  }
  const launch = () => start(['serve', '-c', file, '--migrate', ...flags], { env })
  let running = launch()
  const end = async (signal: NodeJS.Signals) => {
    running.child.kill(signal)
    await running.ended
  }
  t.after(async () => {
    await end('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  return {
    url: base,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    startAgain() {
      running = launch()
    },
    async pause(ms) {
      const { child } = running
      child.kill('SIGSTOP')
      await sleep(ms)
      child.kill('SIGCONT')
    },
    async ready() {
      const { ended } = running
      let over = false
      ended.then(() => (over = true))
      await until(async () => {
        if (over) assert.fail(`the server ended: ${JSON.stringify(await ended)}`)
        return (await fetch(`${base}/health/ready`).catch(() => undefined))?.status === 200
      }, 'a server that is ready')
    },
  }
}

export interface Sessions {
  /** tokens of those that are to be signed out */
  leaving: string[]
  /** tokens of those that nobody signs out */
  staying: string[]
  idOf: Map<string, string>
}

/** Sessions in the database that the storm is about, made beside the server under test. */
export async function manySessions(beside: TestServer): Promise<Sessions> {
  const { identity } = (await signedIn(beside)).session
  const idOf = new Map<string, string>()
  const issue = async (count: number) => {
    const tokens: string[] = []
    for (let made = 0; made < count; made += 20) {
      const part = await Promise.all(Array.from({ length: 20 }, () => signedIn(beside, identity)))
      for (const { token, session } of part) idOf.set(token, session.id)
      tokens.push(...part.map(({ token }) => token))
    }
    return tokens
  }
  return { leaving: await issue(LOGOUTS), staying: await issue(60), idOf }
}

export interface Outcome {
  acknowledged: Set<string>
  /** no answer, or one that promises nothing, by what it was */
  unknown: Map<string, string>
}

/**
 * Signs all of them out, by every way that needs only the token.
 * @param onAnswer is told how many logouts have had an answer or have lost it
 */
export async function signOutAll(
  url: () => string,
  tokens: readonly string[],
  onAnswer: (count: number) => void = () => {},
): Promise<Outcome> {
  const outcome: Outcome = { acknowledged: new Set(), unknown: new Map() }
  const queue = tokens.map((token, index) => ({ token, way: WAYS[index % WAYS.length]! }))
  let count = 0
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { token, way } = next
      const started = performance.now()
      const status = await way(url(), token).catch(
        (error: Error) => `${error.name}: ${(error.cause as Error)?.message}`,
      )
      const took = performance.now() - started
      assert.ok(took < RESPONSE_TIMEOUT_MS + SLACK_MS, `a request hung for ${Math.round(took)} ms (${status})`)
      if (status === 204 || status === 200) outcome.acknowledged.add(token)
      else outcome.unknown.set(token, String(status))
      if (typeof status === 'number') assert.ok([200, 204, 503].includes(status), `answered ${status}`)
      onAnswer(++count)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return outcome
}

const signal = () => AbortSignal.timeout(RESPONSE_TIMEOUT_MS + 2 * SLACK_MS)
const json = { 'content-type': 'application/json', accept: 'application/json' }

const WAYS: ((url: string, token: string) => Promise<number>)[] = [
  async (url, token) => {
    const body = JSON.stringify({ session_token: token })
    const to = `${url}/self-service/logout/api`
    return (await fetch(to, { method: 'DELETE', headers: json, body, signal: signal() })).status
  },
  async (url, token) => {
    const headers = { ...json, 'x-session-token': token }
    const to = `${url}/self-service/logout`
    return (await fetch(to, { method: 'POST', headers, body: '{}', signal: signal() })).status
  },
  async (url, token) => {
    const headers = { ...json, authorization: `Bearer ${token}` }
    const begun = await fetch(`${url}/self-service/logout/browser`, { headers, signal: signal() })
    if (begun.status !== 200) return begun.status
    const { logout_token } = (await begun.json()) as { logout_token: string }
    return (await fetch(`${url}/self-service/logout?token=${logout_token}`, { headers, signal: signal() })).status
  },
]

/**
 * What must hold after any recovery: every acknowledged logout is in force, nobody else was signed out, a session has
 * ended exactly when the log says so, and who got no answer can ask again.
 */
export async function assertTruth(
  url: string,
  { leaving, staying, idOf }: Sessions,
  outcome: Outcome,
  beside: TestServer,
) {
  const [left, stayed] = [await statuses(url, leaving), await statuses(url, staying)]
  assert.deepEqual(
    [...outcome.acknowledged].filter((token) => left.get(token) !== 401).length,
    0,
    'logouts were undone',
  )
  assert.deepEqual([...new Set(stayed.values())], [200], 'others were signed out')
  const text = `select session_id, count(*) as count from lethe.events where type = 'session.ended' group by session_id`
  const rows = await beside.db.query<{ session_id: string; count: number }>({ name: randomUUID(), text })
  const ends = new Map(rows.map((row) => [row.session_id, row.count]))
  for (const [token, status] of left) {
    assert.equal(ends.get(idOf.get(token)!) ?? 0, status === 401 ? 1 : 0, 'an end and its event belong together')
  }
  const again = await signOutAll(
    () => url,
    [...outcome.unknown.keys()].filter((token) => left.get(token) === 200),
  )
  assert.equal(again.unknown.size, 0, JSON.stringify([...again.unknown.values()].slice(0, 3)))
  assert.deepEqual([...new Set((await statuses(url, leaving)).values())], [401])
}

async function statuses(url: string, tokens: readonly string[]): Promise<Map<string, number>> {
  const out = new Map<string, number>()
  for (let at = 0; at < tokens.length; at += AT_ONCE) {
    await Promise.all(
      tokens.slice(at, at + AT_ONCE).map(async (token) => {
        const whoami = async () => {
          const answer = await fetch(`${url}/sessions/whoami`, { headers: { 'x-session-token': token } })
          await answer.arrayBuffer()
          // It says nothing about the session: what was broken is not mended yet.
          return answer.status !== 503 && answer.status
        }
        out.set(token, await until(whoami, 'an answer about a session'))
      }),
    )
  }
  return out
}
