import { type BackgroundWork, createLoop } from '../../kernel/background/loop.ts'
import type { Logger } from '../../kernel/base/log.ts'
import type { WatchState } from './state.ts'

export interface WatchLookoutDeps {
  read(): Promise<WatchState>
  /** milliseconds, monotonic */
  now(): number
  log: Pick<Logger, 'info' | 'warn'>
}

export interface WatchLookout extends BackgroundWork {
  /** What is wrong with the watch, at most a second old; empty where all is well or it is off. Never throws. */
  watchProblems(): Promise<string[]>
}

const PAUSE_MS = 30_000
/** Probes come from several places every second. */
const REMEMBER_MS = 1000

/**
 * A migration of Kratos, or a restore, may remove the triggers; nothing else would show that ends are not recorded any more.
 * Readiness stays green: Lethe's own answers are as right as before.
 */
export function createWatchLookout({ read, now, log }: WatchLookoutDeps): WatchLookout {
  let asked: { at: number; answer: Promise<string[]> } | undefined
  let said = ''

  async function look(): Promise<string[]> {
    // a database that is away is reported elsewhere
    const state = await read().catch(() => undefined)
    if (state === undefined) return []
    const problems = state.problems.join('; ')
    if (problems !== said && problems !== '') {
      log.warn(
        { problems: state.problems },
        'the watch on the tables of Kratos is not whole: not all ends are told; run "adopt watch on"',
      )
    } else if (problems !== said) log.info({}, 'the watch on the tables of Kratos is whole again')
    said = problems
    return state.problems
  }

  function watchProblems(): Promise<string[]> {
    if (asked === undefined || now() - asked.at > REMEMBER_MS) asked = { at: now(), answer: look() }
    return asked.answer
  }

  const loop = createLoop({ name: 'the look at the watch', run: watchProblems, pauseMs: PAUSE_MS, atOnce: true, log })
  return { watchProblems, ...loop }
}
