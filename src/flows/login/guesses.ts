import type { Config } from '../../config/schema/schema.ts'
import { type Clock, type Micros, SECOND } from '../../kernel/base/clock.ts'
import { keyedName } from '../../kernel/crypto/keyed-name.ts'
import { tooManyAttempts } from '../../kernel/http/errors.ts'
import type { AttemptStore, Count } from './store-attempts.ts'

export interface GuessDeps {
  config(): Config
  clock: Clock
  store: Pick<AttemptStore, 'reached' | 'add'>
  /** shared by all nodes */
  serverSecret: Uint8Array
}

/** The target of guesses. */
export interface Target {
  identityId: string
  flowId: string
  /** the method: guesses at one do not block the owner's others */
  method: string
}

/** Wrong codes of the last minutes for known accounts, on all nodes. */
export interface Guesses {
  /**
   * Asked before a code is judged, and again when it is right: of many guesses at once, those beyond the limit learn nothing.
   * @throws 429 while the account, or the flow, has used up its guesses at this method
   */
  assertAllowed(target: Target): Promise<void>
  /** Counts a wrong code. @throws 429 for one beyond the limit, of several at once */
  wrong(target: Target): Promise<void>
}

/** With the same settings as passwords: `lethe.limits.login`. */
export function createGuesses(d: GuessDeps): Guesses {
  const limits = () => d.config().lethe.limits.login
  const windowOf = (): Micros => Math.trunc(limits().window * 1000)
  const key = (...parts: string[]) => keyedName(d.serverSecret, 'wrong-codes', ...parts)

  function countsOf({ identityId, flowId, method }: Target): Count[] {
    const allowed = limits().per_identifier
    if (allowed <= 0) return []
    return [
      { key: key('account', identityId, method), allowed },
      { key: key('flow', flowId), allowed },
    ]
  }
  function refuseUntilOver(at: Micros | undefined, now: Micros): void {
    if (at !== undefined) throw tooManyAttempts(Math.max(1, Math.ceil((at + windowOf() - now) / SECOND)))
  }

  return {
    async assertAllowed(target) {
      const counts = countsOf(target)
      const now = d.clock.now()
      if (counts.length > 0) refuseUntilOver(await d.store.reached(counts, now - windowOf()), now)
    },

    async wrong(target) {
      const counts = countsOf(target)
      if (counts.length === 0) return
      const [now, window] = [d.clock.now(), windowOf()]
      const keep = counts[0]!.allowed + 1
      const rows = await d.store.add(counts, { now, since: now - window, until: now + window, keep })
      for (const { times } of rows) if (times.length >= keep) refuseUntilOver(times.at(-(keep - 1)), now)
    },
  }
}
