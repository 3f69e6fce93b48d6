import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

interface ProcessTimes {
  parent: number
  /** ticks of the process itself and of its children that have ended */
  ticks: number
}

function timesOf(pid: number): ProcessTimes | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0)
    return { parent: Number(fields[1]), ticks }
  } catch {
    return undefined
  }
}

/** CPU seconds that a process and everything below it have used so far. */
export function cpuSeconds(root: number): number {
  const all = new Map<number, ProcessTimes>()
  for (const name of readdirSync('/proc')) {
    const times = /^\d+$/.test(name) ? timesOf(Number(name)) : undefined
    if (times) all.set(Number(name), times)
  }
  let ticks = 0
  for (const [pid, times] of all) {
    let at: number | undefined = pid
    while (at !== undefined && at !== root && at > 1) at = all.get(at)?.parent
    if (at === root) ticks += times.ticks
  }
  return ticks / TICKS_PER_SECOND
}

/** Megabytes of memory that a process keeps in RAM. */
export function residentMb(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return line ? Number(line[1]) / 1024 : Number.NaN
}
