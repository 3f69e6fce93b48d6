import { type ChildProcess, spawn } from 'node:child_process'
import { openSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** The program as it is built: reading and translating the sources costs each process seconds of CPU. */
export const CLI = built()

/** @throws Error where the sources are newer than what was built of them */
function built(): string {
  const changed = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const cli = join(ROOT, 'dist/cli.js')
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const newer = sources.find((file) => file.endsWith('.ts') && changed(join(ROOT, 'src', file)) > changed(cli))
  if (newer !== undefined) throw new Error(`src/${newer} is newer than dist/cli.js; run npm run build`)
  return cli
}

export interface Outcome {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  env?: Record<string, string>
  /** what stdin holds before its end @default '' */
  input?: string
  /** makes it the first of a process group of its own, as a shell does @default false */
  group?: boolean
  /** a file instead of `Outcome.stdout` */
  stdout?: string
}

/** Starts the program as a process of its own, with nothing of this environment that could be configuration. */
export function start(args: string[], options: RunOptions = {}): { child: ChildProcess; ended: Promise<Outcome> } {
  const env = { PATH: process.env.PATH, TZ: 'UTC', LETHE_HTTP_DRAIN_DELAY: '0s', ...options.env }
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: ROOT,
    env,
    detached: options.group === true,
    stdio: ['pipe', options.stdout === undefined ? 'pipe' : openSync(options.stdout, 'w'), 'pipe'],
  })
  const outcome: Outcome = { code: null, signal: null, stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk) => (outcome.stdout += chunk))
  child.stderr?.on('data', (chunk) => (outcome.stderr += chunk))
  child.stdin?.on('error', () => {}).end(options.input ?? '')
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve(Object.assign(outcome, { code, signal })))
  })
  return { child, ended }
}

export function run(args: string[], options: RunOptions = {}): Promise<Outcome> {
  return start(args, options).ended
}

/** The last line with something on it. */
export function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1)
}
