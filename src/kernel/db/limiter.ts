import { runningMs } from '../base/running-clock.ts'
import { type Queryable, type Sql, StoreUnavailable } from './client.ts'

export interface LaneOptions {
  /** statements on their way at once; each holds a connection @default 2 */
  atOnce?: number
  /** most calls that wait; more are refused at once @default 1000 */
  maxQueue?: number
  /** who has waited longer than this when its turn comes is refused @default 5000 */
  maxWaitMs?: number
}

interface Call {
  statement: Sql
  values: readonly unknown[]
  /** the statement and what it is about: its first value */
  name: string
  since: number
  resolve: (rows: never[]) => void
  reject: (error: unknown) => void
}

/**
 * For statements that wait while somebody else holds their row. Each such wait takes a connection, so without a bound a
 * single row that is locked takes the whole pool, and everybody else with it. Here only a few wait at once, and of those
 * that do the same to the same row only one.
 *
 * `query` throws StoreUnavailable when the queue is full or the wait too long, else what the database throws.
 */
export function createLane(db: Queryable, options: LaneOptions = {}): Queryable {
  const { atOnce = 2, maxQueue = 1000, maxWaitMs = 5000 } = options
  const underWay = new Set<string>()
  const waiting: Call[] = []

  function pump(): void {
    while (underWay.size < atOnce) {
      const at = waiting.findIndex(({ name }) => !underWay.has(name))
      if (at < 0) return
      const [call] = waiting.splice(at, 1) as [Call]
      if (runningMs() - call.since > maxWaitMs) {
        call.reject(new StoreUnavailable(`the database was busy for ${maxWaitMs} ms`))
        continue
      }
      underWay.add(call.name)
      void send(call)
    }
  }

  async function send({ statement, values, name, resolve, reject }: Call): Promise<void> {
    try {
      resolve(await db.query<never>(statement, values))
    } catch (error) {
      reject(error)
    } finally {
      underWay.delete(name)
      pump()
    }
  }

  return {
    query: <R>(statement: Sql, values: readonly unknown[] = []) =>
      new Promise<R[]>((resolve, reject) => {
        if (waiting.length >= maxQueue) {
          reject(new StoreUnavailable(`${maxQueue} calls are waiting for the database already`))
          return
        }
        waiting.push({
          statement,
          values,
          name: `${statement.name} ${values[0]}`,
          since: runningMs(),
          resolve,
          reject,
        })
        pump()
      }),
  }
}
