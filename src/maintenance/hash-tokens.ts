import { type Clock, formatTime, SECOND, type Timestamp } from '../kernel/base/clock.ts'
import type { HashTokensStore } from './store-hash-tokens.ts'

export interface HashTokensDeps {
  store: HashTokensStore
  clock: Clock
  sleep(ms: number): Promise<unknown>
}

export interface HashTokensOptions {
  /** rows of one statement */
  limit: number
  /** pause between two statements */
  pauseMs: number
  /** called after each statement that did something */
  onProgress(done: number, total: number): void
  onWaiting(): void
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000'
const RETRY_MS = 500
/** Older transactions are taken for forgotten ones; the tokens they may have written are left for another run. */
const OLD_TRANSACTION_MS = 120_000

/** Kratos wrote just now: it could read no hashed token. */
export class KratosIsWriting extends Error {
  override readonly name = 'KratosIsWriting'
  readonly at: Timestamp
  constructor(at: Timestamp) {
    super(`Kratos wrote at ${at}`)
    this.at = at
  }
}

export function createTokenHashing({ store, clock, sleep }: HashTokensDeps) {
  /** One pass over the table. @returns how many were hashed */
  async function sweep(options: HashTokensOptions, report: (count: number) => void): Promise<number> {
    let total = 0
    let after: string | undefined = FIRST_ID
    while (after !== undefined) {
      const { count, last }: { count: number; last: string | undefined } = await store.batch(after, options.limit)
      total += count
      if (count > 0) report(count)
      after = last
      if (after !== undefined) await sleep(options.pauseMs)
    }
    return total
  }

  return {
    mode: () => store.mode(),
    remaining: () => store.remaining(),
    otherPrograms: () => store.otherPrograms(),

    /** @throws KratosIsWriting when it did so within the last `idleMs` */
    async checkIdle(idleMs: number): Promise<void> {
      const at = await store.lastForeignWrite(formatTime(clock.now() - Math.round((idleMs / 1000) * SECOND)))
      if (at !== undefined) throw new KratosIsWriting(at)
    },

    /**
     * Hashes the tokens that are stored in plain form. May be interrupted and called again at any time, also by several nodes at
     * once; until it is done a token is looked up in both forms, so that no session is lost.
     * @returns whether all are hashed; false when rows are locked or transactions open
     */
    async run(options: HashTokensOptions): Promise<boolean> {
      const total = await store.remaining()
      let done = 0
      const report = (count: number) => {
        done += count
        options.onProgress(done, Math.max(done, total))
      }
      const mark = await store.begin()
      await sweep(options, report)
      // Two passes without a find, with a pause between: a sign-in may have read the old mode and get its id after the mark.
      for (let waited = 0, clean = 0; waited < OLD_TRANSACTION_MS; waited += RETRY_MS) {
        const settled = await store.settled(mark)
        const late = await sweep(options, report)
        clean = settled && late === 0 && (await store.remaining()) === 0 ? clean + 1 : 0
        if (clean === 2) {
          await store.finish()
          return true
        }
        if (waited === 0) options.onWaiting()
        await sleep(RETRY_MS)
      }
      return false
    },
  }
}
