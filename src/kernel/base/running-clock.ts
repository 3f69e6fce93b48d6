import { performance } from 'node:perf_hooks'
import { cpuMs } from './clock.ts'

/** Tells a suspended machine, or a process that gets no processor, from a busy one. */
export interface RunningClock {
  /** milliseconds in which this process was running, since the clock was made */
  now(): number
  /** milliseconds of work since the last check during which everything else waited */
  stall(): number
  stop(): void
}

/**
 * A suspended process misses no deadline by this clock: a wall clock goes on while the process does not, so that the first
 * timer after a pause finds every deadline missed, with the answers waiting in the sockets. A gap between two checks
 * counts as far as it was work.
 * @param everyMs between checks; a gap of up to twice as much counts in any case
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
  /** Called by whichever timer runs first after a pause. */
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

/** A timer that a pause does not fire. @returns cancels it */
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
