import type { Clock } from '../kernel/base/clock.ts'
import { findFlow } from './attempt.ts'
import { expiryOf } from './begin.ts'
import { flowExpired } from './errors.ts'
import type { FlowKind } from './kinds.ts'
import type { Flow } from './types.ts'
import type { FlowUrls } from './urls.ts'

/**
 * A flow as it is stored, for a reader who may see it.
 * @param check throws for any other reader, before that one could learn that the flow has expired
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

/** Only the browser that began a browser flow may read it. @param checkToken throws unless the token matches its cookie */
export const byItsBrowser =
  (checkToken: (csrfToken: string) => void) =>
  (flow: Flow): void => {
    if (flow.type === 'browser') checkToken(flow.csrf_token)
  }
