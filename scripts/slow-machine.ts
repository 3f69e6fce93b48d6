/**
 * The tests on a machine that is slow, busy and now and then asleep: `npm run test:slow-machine [-- options and files of
 * npm test]`. They run at a low priority beside a busy loop, while processes of theirs are stopped at random for one to
 * three seconds, as a suspended laptop or a crowded host stops them. Three runs have to pass. `RUNS` says how many, `BUSY`
 * how many busy loops, `SEED` repeats the choices of an earlier run. Linux only: processes are found in /proc.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const runs = Number(process.env.RUNS ?? 3)
const seed = process.env.SEED ?? randomBytes(4).toString('hex')
const random = seeded(seed)
const options = process.argv.slice(2)

process.stdout.write(`slow machine: ${runs} runs, seed ${seed}\n`)
const busy = Array.from({ length: Number(process.env.BUSY ?? 1) }, () => spawn(process.execPath, ['-e', 'for (;;);']))
const stopBusy = () => {
  for (const child of busy) child.kill('SIGKILL')
}
process.on('exit', stopBusy)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

let failed = 0
for (let run = 1; run <= runs; run += 1) {
  const started = performance.now()
  const tests = spawn('nice', ['-n', '10', process.execPath, '--import', 'tsx', 'scripts/test.ts', ...options], {
    stdio: 'inherit',
  })
  const ended = new Promise<number>((resolve) => tests.once('exit', (code) => resolve(code ?? 1)))
  const pauses = pauseAtRandom(tests)
  const code = await ended
  if (code !== 0) failed += 1
  const seconds = Math.round((performance.now() - started) / 1000)
  process.stdout.write(
    `slow machine: run ${run} of ${runs} ${code === 0 ? 'passed' : 'FAILED'} in ${seconds} s, ${await pauses} pauses\n`,
  )
}
stopBusy()
process.exitCode = failed === 0 ? 0 : 1

/** @returns how often something was stopped, once the tests have ended */
async function pauseAtRandom(tests: ChildProcess): Promise<number> {
  let pauses = 0
  while (tests.exitCode === null && tests.signalCode === null) {
    await sleep(500 + 2000 * random())
    const family = descendants(tests.pid!)
    const pid = family[Math.floor(random() * family.length)]
    if (pid === undefined || !signal(pid, 'SIGSTOP')) continue
    pauses += 1
    await sleep(1000 + 2000 * random())
    signal(pid, 'SIGCONT')
  }
  return pauses
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

/** Every process below `root`, whatever group it put itself in: servers, databases, browsers. */
function descendants(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const parent = Number.isInteger(pid) ? parentOf(pid) : undefined
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const found: number[] = []
  for (const next = [root]; next.length > 0; ) {
    const below = children.get(next.pop()!) ?? []
    found.push(...below)
    next.push(...below)
  }
  return found
}

function parentOf(pid: number): number | undefined {
  try {
    // The name of the program stands in brackets and may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

/** The same numbers for the same seed, from 0 to 1. */
function seeded(text: string): () => number {
  let count = 0
  return () => {
    count += 1
    return createHash('sha256').update(`${text} ${count}`).digest().readUInt32BE() / 2 ** 32
  }
}
