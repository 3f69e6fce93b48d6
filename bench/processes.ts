import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { cpuSeconds } from './cpu.ts'
import type { LoadOptions, LoadResult } from './load.ts'

const root = new URL('..', import.meta.url).pathname

export interface Running {
  pid: number
  stop(): Promise<void>
}

/** Starts a node program and waits until it answers at `url`. */
export async function start(args: string[], env: Record<string, string>, url: string): Promise<Running> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: 'ignore',
  })
  for (let attempt = 0; ; attempt++) {
    const ok = await fetch(url)
      .then((r) => r.status < 500)
      .catch(() => false)
    if (ok) break
    if (attempt > 300 || child.exitCode !== null) throw new Error(`${args.join(' ')} does not answer at ${url}`)
    await sleep(100)
  }
  process.once('exit', () => child.kill('SIGKILL'))
  return { pid: child.pid!, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

export async function postmasterPid(dsn: string): Promise<number> {
  const db = new pg.Client({ connectionString: dsn })
  await db.connect()
  const { rows } = await db.query('show data_directory')
  await db.end()
  return Number(readFileSync(`${rows[0].data_directory}/postmaster.pid`, 'utf8').split('\n')[0])
}

/** Runs a load in a process of its own. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', new URL('load.ts', import.meta.url).pathname, JSON.stringify(options)],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let output = ''
  child.stdout.on('data', (part) => {
    output += part
  })
  await new Promise((resolve) => child.once('exit', resolve))
  return JSON.parse(output)
}

export interface BareResult {
  requests: number
  seconds: number
  cpuSeconds: number
}

/** Bare SQL by pgbench over as many connections. CPU is that of pgbench and of Postgres. */
export async function pgbench(
  dsn: string,
  file: string,
  connections: number,
  seconds: number,
  postgres: number,
): Promise<BareResult> {
  const before = cpuSeconds(postgres)
  const child = spawn(
    'pgbench',
    ['-n', '-M', 'prepared', '-c', String(connections), '-j', '1', '-T', String(seconds), '-f', file, dsn],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let output = ''
  child.stdout.on('data', (part) => {
    output += part
  })
  const own = cpuWatch(child.pid!)
  await new Promise((resolve) => child.once('exit', resolve))
  const requests = Number(/transactions actually processed: (\d+)/.exec(output)?.[1])
  return { requests, seconds, cpuSeconds: cpuSeconds(postgres) - before + own() }
}

/** The last reading before a process ended: its times are gone afterwards. */
function cpuWatch(pid: number): () => number {
  let last = 0
  const timer = setInterval(() => {
    const now = cpuSeconds(pid)
    if (now > 0) last = now
  }, 50)
  return () => {
    clearInterval(timer)
    return last
  }
}

export function hasPgbench(): boolean {
  return spawnSync('pgbench', ['--version']).status === 0
}

export function commit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
}
