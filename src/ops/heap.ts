import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * By default V8 takes 34 MB for the young generation while modules load, of which a running server needs a
 * few, and keeps them under load; and it lets the old generation more than double before it collects garbage.
 * Command-line flags could set this too, but `lethe` is started by name. If V8 drops one of these flags it says so
 * on stderr and goes on.
 * @see docs/adr/0010-heap.md for what was measured
 */
const GARBAGE_PERCENT = 60
const MB = 1024 * 1024
/** With 4 MB the start took a fifth longer. */
const AT_START = 8 * MB
/** Twice as much saved no CPU beyond noise, and takes 17 MB more. */
const UNDER_LOAD = 16 * MB

let limit = AT_START

/** Call it before the modules of the server are loaded. */
export function limitHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${GARBAGE_PERCENT}`)
  let grows = true
  // For the life of the process: V8 shrinks the heap again when idle, and must then be allowed to grow once more.
  new PerformanceObserver(() => {
    const mayGrow = youngBytes() < limit
    if (mayGrow !== grows) setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`)
    grows = mayGrow
  }).observe({ entryTypes: ['gc'] })
}

/** Once ports are open. */
export function raiseHeapLimit(): void {
  limit = UNDER_LOAD
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0
}
