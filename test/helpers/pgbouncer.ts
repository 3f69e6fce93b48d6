import { spawn, spawnSync } from 'node:child_process'
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Scope } from './db.ts'
import { freePort } from './free-port.ts'
import { unprivileged } from './postgres.ts'

export interface PgBouncer {
  /** the address of the database with the pooler in place of the server */
  url: string
  /** ends it as a crash would */
  kill(): Promise<void>
  start(): Promise<void>
}

const PATH = `${process.env.PATH}:/usr/sbin`
const BINARY = process.env.PGBOUNCER ?? 'pgbouncer'
const installed = /(\d+)\.(\d+)/.exec(
  spawnSync(BINARY, ['--version'], { encoding: 'utf8', env: { PATH } }).stdout ?? '',
)

/** Of the program that `PGBOUNCER` names, else of the one of the system; undefined where there is none. */
export const pgBouncerVersion = installed?.[0]

/** Whether it can remember prepared statements: since 1.21. */
export const keepsNames = installed !== null && (Number(installed[1]) > 1 || Number(installed[2]) >= 21)

/**
 * PgBouncer before the server of `url`, which lends a connection for each transaction; ended with the test, and with
 * this process.
 * @param settings lines of its section `[pgbouncer]`
 */
export async function startPgBouncer(t: Scope, url: string, settings: readonly string[]): Promise<PgBouncer> {
  const home = await mkdtemp(join(tmpdir(), 'lethe-pgbouncer-'))
  const as = await unprivileged()
  if (as) await chown(home, as.uid, as.gid)
  const { hostname, port: serverPort, username, password } = new URL(url)
  const port = await freePort()
  const [file, pidFile] = [join(home, 'pgbouncer.ini'), join(home, 'pid')]
  const server = `host=${hostname} port=${serverPort || 5432} user='${decodeURIComponent(username)}' password='${decodeURIComponent(password)}'`
  const lines = [
    '[databases]',
    `* = ${server}`,
    '[pgbouncer]',
    ...['listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir =', `pidfile = ${pidFile}`],
    ...['auth_type = any', 'pool_mode = transaction', 'max_client_conn = 200', 'server_login_retry = 1', ...settings],
  ]
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o644 })
  const through = new URL(url)
  through.host = `127.0.0.1:${port}`
  const endings: (() => Promise<void>)[] = []

  async function start(): Promise<void> {
    const guard = '"$@" & pid=$!; cat > /dev/null; kill -KILL $pid; wait $pid; rm -rf "$0"'
    const child = spawn('sh', ['-c', guard, home, BINARY, '-q', file], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      env: { PATH },
      ...as,
    })
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.unref()
    ;(child.stdin as typeof child.stdin & { unref(): void }).unref()
    endings.push(async () => {
      child.ref()
      child.stdin.end()
      await ended
    })
    for (let attempt = 0; !(await answers(through.href)); attempt += 1) {
      if (attempt === 2400)
        throw new Error(`PgBouncer did not start: sh -c '${BINARY} ${file}' as another user than root`)
      await sleep(50)
    }
  }

  await start()
  t.after(async () => {
    for (const end of endings) await end()
    await rm(home, { recursive: true, force: true })
  })
  return {
    url: through.href,
    async kill() {
      process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL')
      await rm(pidFile)
    },
    start,
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
