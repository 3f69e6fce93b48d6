import type { Db, Queryable } from '../../src/kernel/db/client.ts'

export interface Faults {
  /** Runs before each step: statements by their names, `begin` and `commit`. Throws to make the step fail without effect. */
  before(step: string): void | Promise<void>
  /** Runs when a step has taken effect. Throws to lose its answer. */
  after(step: string): void | Promise<void>
}

/** A database of which every step can fail, before or after it has taken effect. */
export function withFaults(db: Db, faults: Partial<Faults>): Db {
  async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
    await faults.before?.(name)
    const result = await work()
    await faults.after?.(name)
    return result
  }
  const over = (queryable: Queryable): Queryable => ({
    query: (statement, values) => step(statement.name, () => queryable.query(statement, values)),
  })
  return {
    ...db,
    ...over(db),
    async tx(work) {
      await faults.before?.('begin')
      const result = await db.tx(async (tx) => {
        await faults.after?.('begin')
        const outcome = await work(over(tx))
        await faults.before?.('commit')
        return outcome
      })
      await faults.after?.('commit')
      return result
    },
  }
}
