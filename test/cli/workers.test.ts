import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { type RequestOptions, get as secureGet } from 'node:https'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { assertTruth, LOGOUTS, manySessions, signOutAll } from '../fault/storm.ts'
import { Client, createPerson, type Person, signIn } from '../helpers/client.ts'
import { closingScope, createDatabase, openAt, type Scope } from '../helpers/db.ts'
import { freePort } from '../helpers/free-port.ts'
import { testServer, WIRE_CONFIGS } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'
import { folder } from './folder.ts'
import { runHere } from './in-process.ts'
import { lastLine, type Outcome, run, start } from './run.ts'

type Line = Record<string, unknown> & { msg: string }

/** A configuration file on free ports. There are no secrets in it, so that they are made at random. */
async function configured(t: Scope, more: Record<string, unknown> = {}) {
  const [publicPort, adminPort] = [await freePort(), await freePort()]
  const [publicUrl, adminUrl] = [`http://127.0.0.1:${publicPort}`, `http://127.0.0.1:${adminPort}`]
  const file = `${await folder(t)}/kratos.json`
  const { secrets: _, ciphers: __, ...base } = WIRE_CONFIGS.default!
  const write = async (changes: Record<string, unknown> = {}) => {
    const text = JSON.stringify({ ...base, log: { level: 'info', format: 'json' }, ...more, ...changes })
    await writeFile(`${file}.new`, text.replaceAll('{{public}}', publicUrl).replaceAll('{{admin}}', adminUrl))
    await rename(`${file}.new`, file)
  }
  await write()
  const env: Record<string, string> = {
    ...{ SERVE_PUBLIC_HOST: '127.0.0.1', SERVE_PUBLIC_PORT: String(publicPort) },
    ...{ SERVE_ADMIN_HOST: '127.0.0.1', SERVE_ADMIN_PORT: String(adminPort) },
  }
  return { file, write, env, publicUrl, adminUrl, publicPort }
}

interface Running {
  child: ChildProcess
  ended: Promise<Outcome>
  log(): Line[]
  until<T>(what: string, look: () => T | Promise<T>): ReturnType<typeof until<T>>
  /** the processes that serve, by worker, the newest of each */
  workers(): Map<number, number>
}

function launch(t: Scope, args: string[], env: Record<string, string>): Running {
  const { child, ended } = start(args, { env, group: true })
  let text = ''
  child.stdout?.on('data', (chunk) => (text += chunk))
  let over = false
  ended.then(() => (over = true))
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  // Every record is a line of its own: a torn one is no JSON.
  const log = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line): Line => JSON.parse(line))
  return {
    child,
    ended,
    log,
    async until(what, look) {
      return until(async () => {
        if (over) assert.fail(`${what} was waited for in vain: ${JSON.stringify(await ended)}`)
        return look()
      }, what)
    },
    workers: () =>
      new Map(
        log()
          .filter(({ msg }) => msg === 'worker serves')
          .map(({ worker, worker_pid }) => [worker as number, worker_pid as number]),
      ),
  }
}

describe('serve --workers 2', () => {
  const scope = closingScope()
  let at: Awaited<ReturnType<typeof configured>>
  let server: Running
  let dsn: string

  /** On a connection of its own, so that the workers take turns. */
  async function fresh(url: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(url, { headers: { ...headers, connection: 'close' } })
  }

  async function answersOf(url: string, headers: Record<string, string> = {}) {
    const ids = Array.from({ length: 4 }, () => randomUUID() as string)
    const texts: string[] = []
    const statuses: number[] = []
    for (const id of ids) {
      const answer = await fresh(url, { ...headers, 'x-request-id': id })
      statuses.push(answer.status)
      texts.push(await answer.text())
    }
    const lines = await server.until('the lines of the requests', () => {
      const found = server
        .log()
        .filter(({ msg, request_id }) => msg.startsWith('completed') && ids.includes(String(request_id)))
      return found.length === ids.length ? found : undefined
    })
    assert.deepEqual([...new Set(lines.map(({ worker }) => worker))].sort(), [1, 2], 'one worker answered them all')
    return { statuses, texts }
  }

  const metric = async (pattern: RegExp) => {
    const text = await (await fresh(`${at.adminUrl}/metrics/prometheus`)).text()
    return Number(new RegExp(`^${pattern.source} (.*)$`, 'm').exec(text)?.at(-1))
  }
  const WHOAMI = /http_response_time_seconds_count\{[^}]*endpoint="\/sessions\/whoami"\}/
  const FLOWS = /http_response_time_seconds_count\{[^}]*endpoint="\/self-service\/login\/api"\}/
  const hashes = async () => new Set((await answersOf(`${at.adminUrl}/health/config`)).texts)

  before(async () => {
    dsn = await createDatabase(scope, { migrated: false })
    at = await configured(scope, { lethe: { limits: { login: { per_identifier: 4 } } } })
    const env = { ...at.env, DSN: dsn }
    server = launch(scope, ['serve', '-c', at.file, '--dev', '--migrate', '--workers', '2'], env)
    await server.until('two workers', () => server.workers().size === 2)
  })
  after(() => scope.close())

  it('migrates once, reads the configuration once, and marks the lines of workers', () => {
    const by = (msg: string) => server.log().filter((line) => line.msg.startsWith(msg))
    const names = by('migration applied').map(({ migration }) => migration)
    assert.ok(names.length > 0 && new Set(names).size === names.length)
    assert.equal(by('no secrets configured').length, 1)
    assert.deepEqual(
      by('Starting the public')
        .map(({ worker }) => worker)
        .sort(),
      [1, 2],
    )
  })

  it('a cookie that one worker gave is good at the other, though the secrets are random', async () => {
    const browser = new Client(at)
    const person = await createPerson(at)
    await signIn(browser, person)
    const cookie = browser.jar.header('/')!
    assert.deepEqual((await answersOf(`${at.publicUrl}/sessions/whoami`, { cookie })).statuses, [200, 200, 200, 200])
  })

  it('whichever worker answers the scrape, it is the sum over all', async () => {
    const before = (await metric(WHOAMI)) || 0
    await answersOf(`${at.publicUrl}/sessions/whoami`)
    const counts = [await metric(WHOAMI), await metric(WHOAMI), await metric(WHOAMI)]
    assert.deepEqual(counts, [before + 4, before + 4, before + 4])
    const { texts } = await answersOf(`${at.adminUrl}/metrics/prometheus`)
    for (const text of texts) {
      assert.match(text, /^process_resident_memory_bytes [1-9]/m)
      assert.match(text, /^nodejs_version_info\{.*\} 1$/m)
    }
  })

  it('failed sign-ins count wherever they arrive', async () => {
    const person = await createPerson(at)
    const statuses: number[] = []
    for (let i = 0; i < 5; i += 1) statuses.push(await guess(person))
    assert.deepEqual(statuses, [400, 400, 400, 400, 429])
    assert.equal(await metric(FLOWS), 5)
  })

  async function guess({ email }: Person): Promise<number> {
    const flow = (await (await fresh(`${at.publicUrl}/self-service/login/api`)).json()) as { ui: { action: string } }
    const answer = await fetch(flow.ui.action, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ method: 'password', identifier: email, password: 'not-the-one' }),
    })
    return answer.status
  }

  it('a changed file reaches all workers, and a broken one none', async () => {
    const before = await hashes()
    assert.equal(before.size, 1)
    await at.write({ session: { lifespan: '3h' } })
    const changed = await server.until('the change', async () => {
      const now = await hashes()
      return now.size === 1 && !now.has([...before][0]!) ? now : undefined
    })
    await writeFile(at.file, '{')
    await server.until('a refusal', () => server.log().some(({ msg }) => msg.includes('cannot be used')))
    assert.deepEqual(await hashes(), changed)
  })

  it(`a worker killed amid ${LOGOUTS} logouts takes no acknowledged one with it; the next has what the others have`, async () => {
    const before = await hashes()
    const beside = await testServer(scope, { db: await openAt(scope, dsn) })
    const sessions = await manySessions(beside)
    const counted = await metric(FLOWS)
    const old = server.workers().get(2)!
    const outcome = await signOutAll(
      () => at.publicUrl,
      sessions.leaving,
      (count) => void (count === Math.floor(LOGOUTS / 3) && process.kill(old, 'SIGKILL')),
    )
    assert.ok(outcome.acknowledged.size > LOGOUTS / 2, 'the other did not go on')
    await server.until('another worker', () => server.workers().get(2) !== old)
    await assertTruth(at.publicUrl, sessions, outcome, beside)
    assert.equal(await metric(FLOWS), counted, 'what was scraped of the dead stays counted')
    assert.deepEqual(await hashes(), before, 'it read the broken file')
  })

  it('a scrape does not wait for a worker that stands still, and what that had to answer ends when it is killed', async () => {
    const stopped = server.workers().get(1)!
    process.kill(stopped, 'SIGSTOP')
    const asked = [1, 2].map(() => metric(WHOAMI))
    assert.ok((await Promise.any(asked)) > 0)
    process.kill(stopped, 'SIGKILL')
    assert.deepEqual((await Promise.allSettled(asked)).map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  })

  it('stops in order at Ctrl-C, which every process of a terminal gets', async () => {
    process.kill(-server.child.pid!, 'SIGINT')
    const { code, stderr } = await server.ended
    assert.deepEqual([code, stderr], [0, ''])
    const lines = server.log()
    const stop = lines.slice(lines.findIndex(({ msg }) => msg === 'stopping'))
    assert.deepEqual(
      stop.filter(({ level }) => level !== 'info').map(({ msg }) => msg),
      [],
    )
    assert.ok(stop.some(({ msg, worker }) => msg === 'stopping' && worker === 2))
    for (const pid of server.workers().values()) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  })
})

/** 0 when there is no answer. */
function status(ask: typeof secureGet, options: RequestOptions): Promise<number> {
  return new Promise((resolve) => {
    const request = ask({ ...options, agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    request.on('error', () => resolve(0))
  })
}

describe('serve --workers, where it listens', { concurrency: 2 }, () => {
  it('ends when a port is taken, and says so once', async (t) => {
    const { file, env, publicPort } = await configured(t)
    const taken = createServer().listen(publicPort, '127.0.0.1')
    t.after(async () => void taken.close())
    const DSN = await createDatabase(t, { migrated: true })
    const { code, stderr } = await run(['serve', '-c', file, '--workers', '2'], { env: { ...env, DSN } })
    assert.equal(code, 1)
    assert.match(stderr, /^Error: the ports could not be opened: .*EADDRINUSE.*\n$/)
  })

  it('waits for its tables, shares a socket file, speaks TLS, and leaves nothing behind', async (t) => {
    const { file, env, publicPort } = await configured(t)
    const DSN = await createDatabase(t, { migrated: false })
    const socket = `${file}.sock`
    const tls = (name: string) => new URL(`../fixtures/tls/${name}`, import.meta.url).pathname
    const server = launch(t, ['serve', '-c', file, '--workers=2'], {
      ...env,
      ...{ DSN, SERVE_ADMIN_HOST: `unix:${socket}` },
      ...{ SERVE_PUBLIC_TLS_CERT_PATH: tls('a.crt'), SERVE_PUBLIC_TLS_KEY_PATH: tls('a.key') },
    })
    const admin = () => status(get, { socketPath: socket, path: '/health/ready' })
    const open = { host: '127.0.0.1', port: publicPort, path: '/health/ready', ca: await readFile(tls('a.crt')) }
    await server.until('a red answer', async () => (await admin()) === 503)
    assert.equal((await runHere(['migrate', 'sql', 'up', '-e', '--yes'], { env: { DSN } })).code, 0)
    await server.until('two workers', () => server.workers().size === 2)
    assert.deepEqual([await admin(), await admin()], [200, 200])
    assert.deepEqual([await status(secureGet, open), await status(secureGet, open)], [200, 200])
    server.child.kill('SIGTERM')
    assert.equal((await server.ended).code, 0)
    assert.equal(existsSync(socket), false)
  })
})

describe('serve --workers refuses', () => {
  for (const value of ['0', '65', '1.5', '-1', 'many', '']) {
    it(`${JSON.stringify(value)} as a number`, async () => {
      const { code, stderr } = await runHere(['serve', `--workers=${value}`])
      assert.equal(code, 1)
      assert.equal(lastLine(stderr), `--workers: ${JSON.stringify(value)} is neither a number from 1 to 64 nor auto`)
    })
  }

  it('the embedded database, and a configuration that is not valid, once', async (t) => {
    const { file } = await configured(t)
    const embedded = await runHere(['serve', '-c', file, '--workers', '2'], { env: { DSN: 'memory' } })
    assert.equal(embedded.code, 1)
    assert.match(embedded.stderr, /^Error: the embedded database belongs to one process, .* postgres:\/\/.*\n$/)
    const missing = await runHere(['serve', '-c', '/nowhere.yaml', '--workers', '2'])
    assert.equal(missing.code, 1)
    assert.equal(missing.stderr.split('cannot be read').length, 2)
  })
})
