import { CommitUnknown, OutcomeUnknown } from '../client.ts'
import { NoAnswer } from '../deadline.ts'
import { ReadOnlyServer, ServerAway } from '../errors.ts'

/** A time in which the database was away, as this process has seen it. */
export interface Outage {
  ms: number
  /** failures meanwhile, by name of the statement */
  failed: Record<string, number>
}

export interface OutageListener {
  onAway?: ((error: Error) => void) | undefined
  onBack?: ((outage: Outage) => void) | undefined
}

/** Without a failure for so long, it is over: one working connection among failing ones is not the end. */
const QUIET_MS = 1000

/** Reports once that the database went away, and once that it came back. @param now milliseconds, monotonic */
export function createOutageWatch({ onAway, onBack }: OutageListener, now: () => number) {
  let open: { since: number; failedAt: number; workedAt: number | undefined; failed: Map<string, number> } | undefined

  function failed(name: string, error: unknown): void {
    if (!isAway(error)) return
    const at = now()
    if (open === undefined) {
      open = { since: at, failedAt: at, workedAt: undefined, failed: new Map() }
      onAway?.(error as Error)
    }
    open.failedAt = at
    open.workedAt = undefined
    open.failed.set(name, (open.failed.get(name) ?? 0) + 1)
  }

  /** @param started a statement that began before a failure proves nothing about the time after it */
  function worked(started: number): void {
    if (open === undefined || started < open.failedAt) return
    open.workedAt ??= now()
    if (now() - open.failedAt < QUIET_MS) return
    const { since, workedAt, failed } = open
    open = undefined
    onBack?.({ ms: Math.round(workedAt - since), failed: Object.fromEntries(failed) })
  }

  return {
    /** for `worked`; without an outage it costs nothing */
    started: () => (open === undefined ? -1 : now()),
    worked,
    failed,
  }
}

export type OutageWatch = ReturnType<typeof createOutageWatch>

/** Not a lock, a deadline of the server or a hanging commit: those show that the server is there. */
function isAway(error: unknown): boolean {
  if (error instanceof CommitUnknown) return !(error.cause instanceof NoAnswer)
  return error instanceof OutcomeUnknown || error instanceof ServerAway || error instanceof ReadOnlyServer
}
