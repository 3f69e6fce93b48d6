import type pg from 'pg'
import { CommitUnknown, OutcomeUnknown } from '../client.ts'
import { NoAnswer } from '../deadline.ts'
import { ReadOnlyServer } from '../errors.ts'
import { waitForCommit } from './hanging-commit.ts'
import type { OutageWatch } from './outage.ts'
import type { Pool } from './pool.ts'
import type { WriteShare } from './write-share.ts'

type Work<T> = (client: pg.PoolClient) => Promise<T>

/** `name` is the statement's, for the log of an outage. */
export interface Lender {
  /** for statements that commit nothing */
  read<T>(name: string, work: Work<T>): Promise<T>
  /** @throws CommitUnknown when it may have taken effect */
  write<T>(name: string, work: Work<T>): Promise<T>
}

/** Lends connections. One that gave no answer, or cannot write, is not returned to the pool. */
export function createLender(pool: Pool, writers: WriteShare, outages: OutageWatch): Lender {
  async function read<T>(name: string, work: Work<T>): Promise<T> {
    const started = outages.started()
    let client: pg.PoolClient | undefined
    let failure: unknown
    try {
      client = await pool.acquire()
      const result = await work(client)
      outages.worked(started)
      return result
    } catch (error) {
      failure = error
      outages.failed(name, error)
      throw error
    } finally {
      if (client) takeBack(client, failure)
    }
  }

  function takeBack(client: pg.PoolClient, failure: unknown): void {
    if (failure instanceof NoAnswer || failure instanceof ReadOnlyServer) pool.abandon(client, failure)
    else pool.release(client)
  }

  /**
   * When no answer comes, the caller gets its error in time, while the connection and the slot for writes stay
   * taken for as long as the server is working.
   */
  async function write<T>(name: string, work: Work<T>): Promise<T> {
    const started = outages.started()
    const entered = writers.enter()
    const leave = entered instanceof Promise ? await entered : entered
    let client: pg.PoolClient | undefined
    let silence: Promise<void> | undefined
    let failure: unknown
    try {
      client = await pool.acquire()
      const result = await work(client)
      outages.worked(started)
      return result
    } catch (error) {
      failure = error
      if (client && error instanceof NoAnswer && !pool.pooled()) silence = outlast(client, error)
      const told =
        client && error instanceof OutcomeUnknown ? new CommitUnknown(error.message, { cause: error }) : error
      outages.failed(name, told)
      throw told
    } finally {
      if (silence) void silence.finally(leave)
      else {
        if (client) takeBack(client, failure)
        leave()
      }
    }
  }

  async function outlast(client: pg.PoolClient, silence: NoAnswer): Promise<void> {
    if (await waitForCommit(pool, client, silence)) pool.discard(client, silence)
    else pool.abandon(client, silence)
  }

  return { read, write }
}
