import type { Config } from '../../config/schema/schema.ts'
import type { IdentityLocks } from '../../identities/store-locks.ts'
import type { Identity } from '../../identities/types.ts'
import { type Clock, formatTime } from '../../kernel/base/clock.ts'
import { NotLocked, type Queryable } from '../../kernel/db/client.ts'
import { notLocated } from '../../kernel/http/errors.ts'
import type { KeysetPage, PageKey } from '../../kernel/http/lists/keyset.ts'
import { sessionMembers } from '../answer.ts'
import { isLive } from '../lifecycle.ts'
import type { SessionStore } from '../store.ts'
import type { ActiveFilter, Session } from '../types.ts'
import { adminListAnswer, ownListAnswer } from './answer.ts'
import type { SessionPage } from './own-sessions.ts'
import type { SessionListStore } from './store.ts'
import type { SessionManageStore } from './store-manage.ts'

export interface SessionManagementDeps {
  config(): Config
  clock: Clock
  store: Pick<SessionStore, 'byId'>
  list: SessionListStore
  locks: Pick<IdentityLocks, 'query'>
  manage: Pick<SessionManageStore, 'revokeKnown' | 'deleteAllOf' | 'extend'>
  identityAnswer(identity: Identity): Record<string, unknown>
}

/** What an answer shows beside the session itself. */
export interface Expand {
  identity: boolean
  devices: boolean
}

/** The sessions of all identities, for operators. @throws HttpError 404 for an unknown one */
export interface SessionManagement {
  get(id: string, expand: Expand): Promise<Record<string, unknown>>
  list(filter: ActiveFilter, page: KeysetPage, expand: Expand): Promise<KeyedSessions>
  listOf(identityId: string, filter: ActiveFilter, page: { size: number; offset: number }): Promise<SessionPage>
  /** Ends it. Idempotent. */
  revoke(id: string): Promise<void>
  /** Ends and deletes all sessions of an identity; 404 when it has none. */
  removeAllOf(identityId: string): Promise<void>
  /** Extends it by the lifespan from now on, if it is live and `session.earliest_possible_extend` allows. */
  extend(id: string): Promise<void>
}

export interface KeyedSessions {
  sessions: Record<string, unknown>[]
  /** the key of the last row, where more follow */
  next: PageKey | undefined
}

export function createSessionManagement(d: SessionManagementDeps): SessionManagement {
  return {
    async get(id, expand) {
      const session = await d.store.byId(id)
      if (!session) throw notLocated()
      return oneAnswer(d, session, expand)
    },

    async list(filter, { size, after }, expand) {
      const now = d.clock.now()
      // One row more than the page holds shows whether there is another page.
      const query = { filter, after, limit: size + 1, withIdentity: expand.identity, withDevices: expand.devices }
      const rows = await d.list.list({ ...query, now: formatTime(now) })
      const shown = rows.slice(0, size)
      const last = rows.length > size || rows[0]?.cut ? shown.at(-1) : undefined
      return {
        sessions: shown.map((session) => adminListAnswer(session, now, d.identityAnswer)),
        next: last && { createdAt: last.listedAt, id: last.id },
      }
    },

    async listOf(identityId, filter, { size, offset }) {
      const now = d.clock.now()
      const query = { filter, now: formatTime(now), except: undefined, limit: size, offset }
      const { total, size: fitting, sessions } = await d.list.listOf(identityId, query)
      return {
        total,
        size: fitting,
        sessions: sessions.map((session) => ownListAnswer(session, now, d.identityAnswer)),
      }
    },

    async revoke(id) {
      if (!(await d.manage.revokeKnown(id, formatTime(d.clock.now())))) throw notLocated()
    },

    async removeAllOf(identityId) {
      const remove = (on: Queryable) => d.manage.deleteAllOf(identityId, formatTime(d.clock.now()), on)
      const removed = await d.locks.query({ identity: identityId }, remove).catch((error: unknown) => {
        throw error instanceof NotLocked ? notLocated() : error
      })
      if (removed === 0) throw notLocated()
    },

    async extend(id) {
      const now = d.clock.now()
      const { lifespan, earliest_possible_extend: earliestMs } = d.config().session
      const known = await d.manage.extend(id, {
        now: formatTime(now),
        expiresAt: formatTime(now + Math.trunc(lifespan * 1000)),
        onlyIfBefore: earliestMs === undefined ? undefined : formatTime(now + Math.trunc(earliestMs * 1000)),
      })
      if (!known) throw notLocated()
    },
  }
}

/** One session by its id: the level is the stored one, and devices are an empty list unless asked for. */
function oneAnswer(d: SessionManagementDeps, session: Session, expand: Expand): Record<string, unknown> {
  const identity = expand.identity ? session.identity : null
  return sessionMembers(session, {
    active: isLive(session, identity?.state, d.clock.now()),
    aal: session.aal,
    identity: identity && d.identityAnswer(identity),
    devices: expand.devices ? session.devices : [],
  })
}
