import { type Clock, parseTime, SECOND } from '../../kernel/base/clock.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'

/** How far each receiver has been told, for metrics. @throws StoreUnavailable */
export function createReceiverStates({ clock, webhooks }: { clock: Clock; webhooks: Pick<Webhooks, 'list'> }) {
  return async () =>
    (await webhooks.list()).map(({ id, pending, dead, oldest_pending_at: oldest }) => {
      const lag = oldest === null ? 0 : (clock.now() - parseTime(oldest)) / SECOND
      return { id, pending, dead, lagSeconds: Math.max(0, lag) }
    })
}
