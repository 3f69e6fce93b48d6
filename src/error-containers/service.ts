import { type Clock, formatTime } from '../kernel/base/clock.ts'
import { isUuid, uuid } from '../kernel/base/uuid.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import { type ErrorAnswer, errorAnswer, internalError, notLocated } from '../kernel/http/errors.ts'
import type { ErrorStore } from './store.ts'

export interface ErrorAnswerContainer {
  id: string
  error: unknown
  created_at: string
  updated_at: string
}

/** Errors kept for the error page, which reads them by their id. */
export interface ErrorContainers {
  create(error: ErrorAnswer, csrfToken: string): Promise<string>
  /** @throws 404 for an unknown id, or without one */
  read(id: string): Promise<ErrorAnswerContainer>
}

/** A sample for developers of an error page. */
const STUB_ID = 'stub:500'

export function createErrorContainers(d: { store: ErrorStore; clock: Clock; random: Random }): ErrorContainers {
  const now = () => formatTime(d.clock.now())
  return {
    async create(error, csrfToken) {
      const id = uuid(d.random)
      await d.store.insert({ id, error, now: now(), csrfToken })
      return id
    },
    async read(id) {
      if (id === STUB_ID) return stub(uuid(d.random), now())
      const row = isUuid(id) ? await d.store.read(id, now()) : undefined
      if (!row) throw notLocated()
      return { id: row.id, error: row.errors, created_at: row.created_at, updated_at: row.updated_at }
    },
  }
}

function stub(id: string, now: string): ErrorAnswerContainer {
  return { id, error: errorAnswer(internalError('This is a stub error.')), created_at: now, updated_at: now }
}
