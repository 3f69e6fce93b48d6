import { type BackgroundWork, createLoop } from '../../kernel/background/loop.ts'

export interface WatchPollerDeps {
  isPolled(): Promise<boolean>
  /** one comparison; only one node does it at a time */
  compare(): Promise<void>
  /** milliseconds, monotonic */
  now(): number
  log: { warn(details: object, message: string): void }
}

const PAUSE_MS = 5000
/** The pause is four times the run: at most a fifth of one connection's time. */
const SHARE = 4
const UNWATCHED_MS = 30_000

/** Where no trigger can be created: polls the table and compares it with the sessions that were alive before. */
export function createWatchPoller({ isPolled, compare, now, log }: WatchPollerDeps): BackgroundWork {
  let pause = PAUSE_MS

  async function run(): Promise<void> {
    const begun = now()
    const polled = await isPolled()
    if (polled) await compare()
    pause = polled ? Math.max(PAUSE_MS, SHARE * (now() - begun)) : UNWATCHED_MS
  }

  return createLoop({
    name: 'the comparison with the sessions of Kratos',
    run,
    pauseMs: () => pause,
    atOnce: true,
    log,
  })
}
