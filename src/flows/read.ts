import type { Clock } from '../kernel/base/clock.ts'
import { findFlow } from './attempt.ts'
import { expiryOf } from './begin.ts'
import { flowExpired } from './errors.ts'
import type { FlowKind } from './kinds.ts'
import type { Flow } from './types.ts'
import type { FlowUrls } from './urls.ts'

/**
 * A flow as it stands, for whoever may read it.
 * @param check throws for anybody else; it is asked before a reader learns that the flow has expired
 * @throws 404, 410
 */
export async function readFlow<F extends Flow>(
  kind: FlowKind,
  d: { store: { find(id: string): Promise<F | undefined> }; clock: Clock; urls: FlowUrls },
  id: string,
  check: (flow: F) => void,
): Promise<F> {
  const flow = await findFlow(d.store, id)
  check(flow)
  if (expiryOf(flow, d.clock.now())) throw flowExpired(kind, flow, d.urls)
  return flow
}

/** Browser flows are read by the browser that began them. @param checkToken throws unless the token fits its cookie */
export const byItsBrowser =
  (checkToken: (csrfToken: string) => void) =>
  (flow: Flow): void => {
    if (flow.type === 'browser') checkToken(flow.csrf_token)
  }
