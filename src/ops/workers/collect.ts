import { type Series, sumOfCounts } from '../metrics-sum.ts'

/** A busy worker answers well below this; a scraper waits ten seconds. */
const LIMIT_MS = 1000

export interface Collection<Worker> {
  /** What all workers but the asking one have counted. Never waits longer than a second. */
  ofOthers(asking: Worker, own: Series[]): Promise<Series[][]>
  /** A worker has answered. */
  counted(worker: Worker, ask: number, series: Series[]): void
  /** A worker has ended. */
  gone(worker: Worker): void
}

/**
 * Sums what the workers have counted. A worker that does not answer counts with the values of the last scrape, and one that
 * has ended stays in the sum: a sum that shrinks looks to a scraper like a restart from zero, and would show the counts of
 * all workers as a burst.
 */
export function createCollection<Worker>(d: {
  workers(): Iterable<Worker>
  ask(worker: Worker, ask: number): void
  limitMs?: number
}): Collection<Worker> {
  const known = new Map<Worker, Series[]>()
  const open = new Map<number, { missing: Set<Worker>; done(): void }>()
  let departed: Series[] = []
  let asked = 0

  function answered(ask: number, worker: Worker): void {
    const question = open.get(ask)
    if (question?.missing.delete(worker) && question.missing.size === 0) question.done()
  }

  async function askAll(workers: readonly Worker[]): Promise<void> {
    if (workers.length === 0) return
    asked += 1
    const ask = asked
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((done) => {
      timer = setTimeout(done, d.limitMs ?? LIMIT_MS)
      open.set(ask, { missing: new Set(workers), done })
      for (const worker of workers) d.ask(worker, ask)
    })
    clearTimeout(timer)
    open.delete(ask)
  }

  return {
    async ofOthers(asking, own) {
      known.set(asking, own)
      await askAll([...d.workers()].filter((worker) => worker !== asking))
      const others = [...known].filter(([worker]) => worker !== asking).map(([, series]) => series)
      return [...others, departed]
    },
    counted(worker, ask, series) {
      known.set(worker, series)
      answered(ask, worker)
    },
    gone(worker) {
      departed = sumOfCounts([departed, known.get(worker) ?? []])
      known.delete(worker)
      for (const ask of open.keys()) answered(ask, worker)
    },
  }
}
