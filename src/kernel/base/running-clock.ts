import { performance } from 'node:perf_hooks'
import { cpuMs } from './clock.ts'

/** Knows a machine that was suspended, or a process that was not given a processor, from one that is busy. */
export interface RunningClock {
  /** milliseconds in which this process could run, since the clock was made */
  now(): number
  /** milliseconds of work for which everything else waited between the last two looks */
  stall(): number
  stop(): void
}

/**
 * Deadlines by this clock are not missed by a pause: a wall clock runs on while the process does not, so that the first
 * timer after a pause finds everybody late, with their answers waiting in the sockets behind it. A gap between two looks
 * counts as far as it was work.
 * @param everyMs between looks; a gap of twice as much counts in any case
 */
export function createRunningClock(everyMs: number): RunningClock {
  let last = look()
  let counted = 0
  let stalled = 0

  function tick(): void {
    const next = look()
    const gap = next.at - last.at
    // Before Node 23.9 the processor time is also that of hashing threads; the loop itself is active for no longer than this.
    const work = Math.min(gap, next.cpu - last.cpu, next.active - last.active)
    stalled = work
    counted += Math.max(Math.min(gap, 2 * everyMs), work)
    last = next
  }
  /** Whichever timer runs first after a pause. */
  function tickIfLate(): void {
    if (performance.now() - last.at > 2 * everyMs) tick()
  }
  const timer = setInterval(tick, everyMs)
  timer.unref()

  return {
    now() {
      tickIfLate()
      return counted + performance.now() - last.at
    },
    stall() {
      tickIfLate()
      return stalled
    },
    stop: () => clearInterval(timer),
  }
}

function look() {
  return { at: performance.now(), cpu: cpuMs(), active: performance.eventLoopUtilization().active }
}

const EVERY_MS = 250
let shared: RunningClock | undefined

/** Milliseconds of one clock for all deadlines of this process. */
export function runningMs(): number {
  shared ??= createRunningClock(EVERY_MS)
  return shared.now()
}

/** A timer that a pause does not set off. @returns takes it back */
export function startDeadline(ms: number, expired: () => void): () => void {
  const until = runningMs() + ms
  let timer = setTimeout(look, ms)
  function look(): void {
    const left = until - runningMs()
    if (left <= 1) expired()
    else timer = setTimeout(look, left)
  }
  return () => clearTimeout(timer)
}
