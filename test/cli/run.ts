import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

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
}

/** Starts the program as a process of its own, with nothing of this environment that could be configuration. */
export function start(args: string[], options: RunOptions = {}): { child: ChildProcess; ended: Promise<Outcome> } {
  const env = { PATH: process.env.PATH, TZ: 'UTC', LETHE_HTTP_DRAIN_DELAY: '0s', ...options.env }
  const child = spawn(process.execPath, ['--import', 'tsx', CLI, ...args], {
    cwd: ROOT,
    env,
    detached: options.group === true,
  })
  const outcome: Outcome = { code: null, signal: null, stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (outcome.stdout += chunk))
  child.stderr.on('data', (chunk) => (outcome.stderr += chunk))
  child.stdin.on('error', () => {}).end(options.input ?? '')
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
