import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

interface ProcessTimes {
  parent: number
  /** ticks of the process itself and of its children that have ended */
  ticks: number
}

function fieldsOf(pid: number | 'self'): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function timesOf(pid: number): ProcessTimes | undefined {
  try {
    const fields = fieldsOf(pid)
    const ticks = [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0)
    return { parent: Number(fields[1]), ticks }
  } catch {
    return undefined
  }
}

function allTimes(): Map<number, ProcessTimes> {
  const all = new Map<number, ProcessTimes>()
  for (const name of readdirSync('/proc')) {
    const times = /^\d+$/.test(name) ? timesOf(Number(name)) : undefined
    if (times) all.set(Number(name), times)
  }
  return all
}

/** A process and everything below it. */
function treeOf(root: number, all: ReadonlyMap<number, ProcessTimes>): number[] {
  return [...all.keys()].filter((pid) => {
    let at: number | undefined = pid
    while (at !== undefined && at !== root && at > 1) at = all.get(at)?.parent
    return at === root
  })
}

/** CPU seconds that a process and everything below it have used so far. */
export function cpuSeconds(root: number): number {
  const all = allTimes()
  return treeOf(root, all).reduce((sum, pid) => sum + all.get(pid)!.ticks, 0) / TICKS_PER_SECOND
}

/** CPU seconds of the children of this process that have ended. */
export function endedChildrenSeconds(): number {
  const fields = fieldsOf('self')
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND
}

/** Of a process and everything below it; what they share counts for each of them. */
function statusMb(root: number, key: string): number {
  return treeOf(root, allTimes()).reduce((sum, pid) => {
    const line = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return sum + (line ? Number(line[1]) / 1024 : Number.NaN)
  }, 0)
}

/** Megabytes of memory that a server, with its workers, keeps in RAM. */
export const residentMb = (pid: number) => statusMb(pid, 'VmRSS')

/** The most that it kept in RAM since `forgetPeak`. */
export const peakMb = (pid: number) => statusMb(pid, 'VmHWM')

export function forgetPeak(root: number): void {
  for (const pid of treeOf(root, allTimes())) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5')
    } catch {
      // of another user: the peak is that of its whole life
    }
  }
}
