import { currentCsrfToken } from './attempt.ts'
import type { BeginRequest } from './begin.ts'
import type { Unstored } from './engine/unstored.ts'
import type { FlowKind } from './kinds.ts'
import { messages } from './messages.ts'
import { withProblems } from './nodes.ts'
import type { Caller, Expired, Flow } from './types.ts'

/** A flow that was submitted too late, and the one that replaces it. */
export interface Replaced<F> {
  kind: 'replaced'
  flow: F
  expired: Expired
}

/**
 * Replaces an expired flow by a new one with a message about it.
 * @param make a flow for the same request, not stored yet
 */
export async function replaceExpired<F extends Flow>(
  kind: FlowKind,
  { old, expired, caller }: { old: F; expired: Expired; caller: Caller },
  make: (request: BeginRequest) => Promise<Unstored<F>>,
  store: (begun: Unstored<F>) => Promise<void>,
): Promise<Replaced<F>> {
  const { flow, writes } = await make({
    type: old.type,
    requestUrl: old.request_url,
    csrfToken: currentCsrfToken(old, caller),
  })
  flow.ui = withProblems(flow.ui, [{ message: messages.expired(kind, expired) }])
  await store({ flow, writes })
  return { kind: 'replaced', flow, expired }
}
