import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * Left alone, V8 takes 34 MB for the young generation while modules load, of which a server that has started needs a
 * few, and keeps them for as long as there is load; and it lets the old one more than double before it looks for garbage.
 * Flags of the command line could say less, but `lethe` is started by name. A flag that V8 no longer knows does nothing.
 * @see docs/adr/0010-heap.md for what was measured
 */
const GARBAGE_PERCENT = 60
const MB = 1024 * 1024
/** Less makes the start slower: with 4 MB by a fifth. */
const AT_START = 8 * MB
/** Half of it costs a tenth more CPU a request, twice as much saves a twentieth. */
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
export function expectLoad(): void {
  limit = UNDER_LOAD
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0
}
