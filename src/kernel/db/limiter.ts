import { runningMs } from '../base/running-clock.ts'
import { type Queryable, type Sql, StoreUnavailable } from './client.ts'
import { inOrder, type Values } from './named.ts'

export interface LimiterOptions {
  /** statements in flight at once; each holds a connection @default 2 */
  atOnce?: number
  /** most queued calls; more are refused at once @default 1000 */
  maxQueue?: number
  /** a call that has waited longer when its turn comes is refused @default 5000 */
  maxWaitMs?: number
}

export interface Limiter extends Queryable {
  /** Runs work of several statements. @param name of two with the same name the second waits */
  run<T>(name: string, work: () => Promise<T>): Promise<T>
}

interface Call {
  name: string
  work: () => Promise<unknown>
  since: number
  resolve: (result: never) => void
  reject: (error: unknown) => void
}

/**
 * For statements that wait for a row lock. Each such wait holds a connection, so without a bound a
 * single locked row takes the whole pool from all other requests. Here only a few wait at once, and of those
 * that do the same to the same row (the statement and its first value) only one.
 *
 * Throws StoreUnavailable when the queue is full or the wait too long, else what the database throws.
 */
export function createLimiter(db: Queryable, options: LimiterOptions = {}): Limiter {
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

  async function send({ work, name, resolve, reject }: Call): Promise<void> {
    try {
      resolve((await work()) as never)
    } catch (error) {
      reject(error)
    } finally {
      underWay.delete(name)
      pump()
    }
  }

  function run<T>(name: string, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (waiting.length >= maxQueue) {
        reject(new StoreUnavailable(`${maxQueue} calls are waiting for the database already`))
        return
      }
      waiting.push({ name, work, since: runningMs(), resolve, reject })
      pump()
    })
  }

  return {
    run,
    query: <R>(statement: Sql, given: Values = []) => {
      const values = inOrder(statement, given)
      return run(`${statement.name} ${values[0]}`, () => db.query<R>(statement, given))
    },
  }
}
