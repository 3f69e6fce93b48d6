import type { Db, Queryable } from '../../kernel/db/client.ts'
import type { Flow } from '../types.ts'
import type { Composed, Write } from './compose.ts'

/** A new flow that is not stored yet, and the writes of its methods. */
export interface Unstored<F> {
  flow: F
  writes: readonly Write[]
}

export function unstored<F extends Flow>(flow: Omit<F, 'ui'>, form: Composed): Unstored<F> {
  const { ui, context, state = flow.state, active = flow.active_method, writes } = form
  return { flow: { ...flow, ui, context, state, active_method: active } as F, writes }
}

/** One statement if no method writes anything. */
export async function storeFlow<F>(
  d: { db: Pick<Db, 'tx'>; store: { insert(flow: F, on?: Queryable): Promise<void> } },
  { flow, writes }: Unstored<F>,
): Promise<void> {
  if (writes.length === 0) return d.store.insert(flow)
  await d.db.tx(async (tx) => {
    await d.store.insert(flow, tx)
    for (const write of writes) await write(tx)
  })
}
