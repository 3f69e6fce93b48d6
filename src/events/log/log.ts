import type { EventAnswer } from '../types.ts'
import { eventAnswer } from './answer.ts'
import { type EventListQuery, encodeToken } from './list-query.ts'
import type { EventLogStore } from './store.ts'

export interface EventLog {
  /** Newest first. @param next the token of the next page, where there is one */
  list(query: EventListQuery): Promise<{ events: EventAnswer[]; next: string | undefined }>
}

export function createEventLog({ store }: { store: Pick<EventLogStore, 'list'> }): EventLog {
  return {
    async list({ filter, since, before, size }) {
      // One row more than the page holds shows whether there is another page.
      const rows = await store.list({ filter, since, before, limit: size + 1 })
      const events = rows.slice(0, size).map(eventAnswer)
      const last = rows.length > size ? events.at(-1) : undefined
      return { events, next: last && encodeToken(last) }
    },
  }
}
