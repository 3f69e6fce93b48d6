import { type Clock, formatTime } from '../kernel/base/clock.ts'
import { notLocated } from '../kernel/http/errors.ts'
import type { KeysetPage, PageKey } from '../kernel/http/lists/keyset.ts'
import type { ListedMessage, MessageListStore } from './store-list.ts'
import type { MessageFilter } from './types.ts'

export interface CourierMessages {
  list(filter: MessageFilter, page: KeysetPage): Promise<{ messages: object[]; next: PageKey | undefined }>
  /** With its tries. @throws HttpError 404 */
  get(id: string): Promise<object>
  /** The queue, for metrics. */
  state(): Promise<{ queued: number; oldest_seconds: number }>
}

const REDACTED = '<redacted-unless-dev-mode>'

/** Messages as operators see them: without their texts, which hold codes and links, except in development. */
export function createCourierMessages(d: { list: MessageListStore; clock: Clock; dev: boolean }): CourierMessages {
  const shown = (message: ListedMessage) => (d.dev ? message : { ...message, body: REDACTED, subject: REDACTED })
  return {
    async list(filter, { size, after }) {
      // One row more than the page holds shows whether there is another page.
      const rows = await d.list.list(filter, after, size + 1)
      const page = rows.slice(0, size)
      const last = rows.length > size ? page.at(-1) : undefined
      return { messages: page.map(shown), next: last && { createdAt: last.created_at, id: last.id } }
    },
    async get(id) {
      const found = await d.list.one(id)
      if (!found) throw notLocated()
      return shown({ ...found, dispatches: found.dispatches ?? [] } as ListedMessage)
    },
    state: () => d.list.state(formatTime(d.clock.now())),
  }
}
