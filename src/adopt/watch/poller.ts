import { type BackgroundWork, createLoop } from '../../kernel/background/loop.ts'

export interface WatchPollerDeps {
  isPolled(): Promise<boolean>
  /** one comparison; of several nodes one does it */
  compare(): Promise<void>
  /** milliseconds, from anywhere */
  now(): number
  log: { warn(details: object, message: string): void }
}

const PAUSE_MS = 5000
/** Of the time of one connection, at most a fifth. */
const SHARE = 4
const UNWATCHED_MS = 30_000

/** Where no trigger may be made: compares what was alive with what is, again and again. */
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
