import type pg from 'pg'
import { CommitUnknown, OutcomeUnknown } from '../client.ts'
import { NoAnswer } from '../deadline.ts'
import { ReadOnlyServer } from '../errors.ts'
import { waitForCommit } from './hanging-commit.ts'
import type { Pool } from './pool.ts'
import type { WriteShare } from './write-share.ts'

type Work<T> = (client: pg.PoolClient) => Promise<T>

export interface Lender {
  /** for what waits for no commit */
  read<T>(work: Work<T>): Promise<T>
  /** @throws CommitUnknown when it may have taken effect */
  write<T>(work: Work<T>): Promise<T>
}

/** Lends connections. One that gave no answer, or cannot write, does not come back. */
export function createLender(pool: Pool, writers: WriteShare): Lender {
  async function read<T>(work: Work<T>): Promise<T> {
    const client = await pool.acquire()
    let failure: unknown
    try {
      return await work(client)
    } catch (error) {
      failure = error
      throw error
    } finally {
      takeBack(client, failure)
    }
  }

  function takeBack(client: pg.PoolClient, failure: unknown): void {
    if (failure instanceof NoAnswer || failure instanceof ReadOnlyServer) pool.abandon(client, failure)
    else pool.release(client)
  }

  /**
   * When no answer comes, the caller is told so in time, while the connection and the place among those who write stay
   * taken for as long as the server is at it.
   */
  async function write<T>(work: Work<T>): Promise<T> {
    const leave = await writers.enter()
    let silence: Promise<void> | undefined
    try {
      const client = await pool.acquire()
      let failure: unknown
      try {
        return await work(client)
      } catch (error) {
        failure = error
        if (error instanceof NoAnswer && !pool.pooled()) silence = outlast(client, error)
        throw error
      } finally {
        if (silence === undefined) takeBack(client, failure)
      }
    } catch (error) {
      throw error instanceof OutcomeUnknown ? new CommitUnknown(error.message, { cause: error }) : error
    } finally {
      if (silence) void silence.finally(leave)
      else leave()
    }
  }

  async function outlast(client: pg.PoolClient, silence: NoAnswer): Promise<void> {
    if (await waitForCommit(pool, client, silence)) pool.discard(client, silence)
    else pool.abandon(client, silence)
  }

  return { read, write }
}
