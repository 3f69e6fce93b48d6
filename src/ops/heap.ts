import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * Left alone, V8 takes 34 MB for the young generation while modules load, of which a server that has started needs a
 * few, and keeps them for as long as there is load; and it lets the old one more than double before it looks for garbage.
 * Flags of the command line could say less, but `lethe` is started by name. Of a flag that it no longer knows V8 says so
 * on stderr and goes on.
 * @see docs/adr/0010-heap.md for what was measured
 */
const GARBAGE_PERCENT = 60
const MB = 1024 * 1024
/** With 4 MB the start took a fifth longer. */
const AT_START = 8 * MB
/** Twice as much did not save CPU that could be told from noise, and takes 17 MB more. */
const UNDER_LOAD = 16 * MB

let limit = AT_START

/** Call it before the modules of the server load. */
export function limitHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${GARBAGE_PERCENT}`)
  let grows = true
  // For as long as the process runs: V8 gives the space back when nothing happens, and must then be let grow again.
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
