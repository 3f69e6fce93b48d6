/**
 * Milliseconds of processor time, the least of several runs: what work costs when nothing interferes. Time in which the process
 * was stopped, or others had the processor, does not count; a collection of garbage may fall into one run.
 */
export async function leastCpuMs(work: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < RUNS; run += 1) {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}

const RUNS = 5
