import { type Queryable, type Sql, StoreError } from './client.ts'
import { NoAnswer } from './deadline.ts'
import type { Values } from './named.ts'

interface Connection {
  query<R>(statement: Sql, values: Values): Promise<R[]>
  /** `commit` and `rollback` */
  plain(text: string): Promise<unknown>
}

/**
 * Runs `work` between an open `begin` and the `commit`. A failed statement fails the transaction even if `work` caught
 * its error: Postgres would answer the commit with a rollback, and report no error.
 */
export async function transaction<T>(connection: Connection, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const pending = new Set<Promise<unknown>>()
  let failure: unknown
  let open = true
  const tx: Queryable = {
    async query<R>(statement: Sql, values: Values = []) {
      if (!open) throw new StoreError(`${statement.name}: sent after the end of its transaction`, undefined)
      const answer = connection.query<R>(statement, values)
      pending.add(answer)
      try {
        return await answer
      } catch (error) {
        failure ??= error
        throw error
      } finally {
        pending.delete(answer)
      }
    },
  }
  try {
    const result = await work(tx)
    open = false
    await Promise.allSettled(pending)
    if (failure) throw failure
    await connection.plain('commit')
    return result
  } catch (error) {
    open = false
    // a silent connection is closed by its owner, which rolls back too
    if (!(error instanceof NoAnswer)) await connection.plain('rollback')
    throw error
  }
}
