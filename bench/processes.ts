import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { LoadOptions, LoadResult } from './load.ts'

export const root = fileURLToPath(new URL('..', import.meta.url))

export interface Running {
  pid: number
  /** milliseconds from the start of the process to its first good answer */
  readyAfter: number
  stop(): Promise<void>
  /** without waiting for what it is busy with */
  kill(): Promise<void>
}

/** Starts a program and waits until it answers with 200 at `url`, asking every 5 ms. */
export async function start(
  command: string,
  args: string[],
  env: Record<string, string>,
  url: string,
): Promise<Running> {
  const started = performance.now()
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: 'ignore' })
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  let ended = false
  const end = new Promise<void>((resolve) =>
    child.once('exit', () => {
      ended = true
      process.off('exit', killed)
      resolve()
    }),
  )
  child.once('error', () => {
    ended = true
  })
  while (!(await answers(url))) {
    if (ended || performance.now() - started > 120_000) {
      child.kill('SIGKILL')
      throw new Error(`${command} ${args.join(' ')} ${ended ? 'ended at once' : `does not answer at ${url}`}`)
    }
    await sleep(5)
  }
  const by = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await end
  }
  const readyAfter = performance.now() - started
  return { pid: child.pid!, readyAfter, stop: () => by('SIGTERM'), kill: () => by('SIGKILL') }
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(url, { agent: false, timeout: 1000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(false))
    asked.end()
  })
}

/** What is not ended otherwise ends with this process, also when it is interrupted. */
export function endWithSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
}

/** Of the Postgres behind a dsn; undefined where it runs elsewhere or its folder may not be read. */
export async function postmasterPid(dsn: string): Promise<number | undefined> {
  const db = new pg.Client({ connectionString: dsn })
  await db.connect()
  try {
    const { rows } = await db.query('show data_directory')
    return Number(readFileSync(`${rows[0].data_directory}/postmaster.pid`, 'utf8').split('\n')[0])
  } catch {
    return undefined
  } finally {
    await db.end()
  }
}

/** Runs a program of this folder with one argument, as JSON. */
export function spawnOwn(file: string, options: object, stdin: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const args = ['--import', 'tsx', path, JSON.stringify(options)]
  return spawn(process.execPath, args, { cwd: root, stdio: [stdin, 'pipe', 'inherit'] })
}

/** All that a program writes until it ends. @throws unless it ends with 0 */
export async function outputOf(child: ChildProcess): Promise<string> {
  let output = ''
  child.stdout!.setEncoding('utf8').on('data', (part) => {
    output += part
  })
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${child.spawnargs.slice(0, 4).join(' ')} … ended with ${code}: ${output}`)
  return output
}

/** Runs a load in a process of its own. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  return JSON.parse(await outputOf(spawnOwn('load.ts', options)))
}
