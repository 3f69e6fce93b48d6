import { execFileSync, spawnSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import pg from 'pg'
import { root } from './processes.ts'

export interface Machine {
  cpu: string
  cores: number
  memoryGb: number
  node: string
  postgres: string
  /** of pgbench; `-` where there is none */
  pgbench: string
  /** with `+` where files differ from it */
  commit: string
  /** of the end of the run */
  date: string
}

export function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'migrations', 'package-lock.json') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}

export function pgbenchVersion(): string | undefined {
  const { status, stdout } = spawnSync('pgbench', ['--version'], { encoding: 'utf8' })
  return status === 0 ? /\d+(\.\d+)*/.exec(stdout)?.[0] : undefined
}

export async function machine(dsn: string): Promise<Machine> {
  const db = new pg.Client({ connectionString: dsn })
  await db.connect()
  const { rows } = await db.query('show server_version')
  await db.end()
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version.slice(1),
    postgres: String(rows[0].server_version).split(' ')[0]!,
    pgbench: pgbenchVersion() ?? '-',
    commit: commit(),
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
  }
}
