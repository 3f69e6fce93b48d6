import { type Clock, parseTime } from '../../kernel/base/clock.ts'
import { ruleThatEnds } from '../../sessions/rules.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Credentials, Session } from '../../sessions/types.ts'
import { comment, type Feed } from '../log/feed.ts'
import type { HighWaterMark } from '../log/high-water-mark.ts'
import type { EventLogStore } from '../log/store.ts'
import type { Sink } from './stream.ts'

export interface OwnSessionStreamDeps {
  clock: Clock
  feed: Feed
  highWaterMark: HighWaterMark
  store: Pick<EventLogStore, 'last'>
  sessions: Pick<SessionService, 'peek' | 'ruleOf'>
}

/** setTimeout takes no more than 2^31 ms; one that ends earlier looks and goes on. */
const LONGEST_MS = 24 * 3_600_000
/** Before asking again whether a session is over, when the database did not answer. */
const RETRY_MS = 5000

/**
 * Tells the holder of a session when it ends, then closes. Whether it has ended is asked once more after joining the
 * feed: an end between the check of the request and the joining is in neither of them.
 */
export function createOwnSessionStream(d: OwnSessionStreamDeps) {
  /** @throws StoreUnavailable before anything is written */
  async function open(credentials: Credentials, session: Session, sink: Sink): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    let latest = session
    const finish = (end: { cause: string | null; time: string | null }) => {
      if (sink.closed()) return
      // nothing of the device or the actor: whoever holds a session need not be its owner
      const data = { session_id: session.id, cause: end.cause, time: end.time }
      sink.write(`event: session.ended\ndata: ${JSON.stringify(data)}\n\n`)
      sink.end()
    }
    const { leave } = await d.feed.joinSession(session.id, ({ event }) => {
      if (event.type === 'session.ended') finish(event)
    })
    sink.onClose(() => {
      leave()
      clearTimeout(timer)
    })

    /** The session as it is now, or undefined when it is over. */
    const current = async () => {
      const resolved = await d.sessions.peek(credentials)
      if (resolved?.session.id !== session.id) return undefined
      latest = resolved.session
      return latest
    }
    const finishAsLogged = async () => {
      const types = ['session.ended']
      const { seq } = await d.highWaterMark.settle()
      const [end] = await d.store.last(seq, 1, { types, sessionId: session.id })
      finish({ cause: end?.cause ?? null, time: end?.created_at ?? null })
    }
    /** The collector may be late with its event, and an extension may have come: at the stated end both are looked at. */
    const watchExpiry = (expiresAt: string) => {
      if (sink.closed()) return
      const left = (parseTime(expiresAt) - d.clock.now()) / 1000
      timer = setTimeout(atExpiry, Math.min(Math.max(left, 0) + 1, LONGEST_MS)).unref()
    }
    const atExpiry = async () => {
      try {
        const now = await current()
        if (now) watchExpiry(now.expires_at)
        else finish({ cause: ruleThatEnds(latest, d.sessions.ruleOf(latest)) ?? 'expired', time: latest.expires_at })
      } catch {
        timer = setTimeout(atExpiry, RETRY_MS).unref()
      }
    }

    try {
      const now = await current()
      if (!now) return await finishAsLogged()
      const data = { session_id: session.id, expires_at: now.expires_at }
      sink.write(`event: session.active\ndata: ${JSON.stringify(data)}\n\n`)
      sink.keepAlive(() => `${comment(d.feed.position()?.completeAt)}\n`)
      watchExpiry(now.expires_at)
    } catch (error) {
      leave()
      throw error
    }
  }

  return { open }
}

export type OwnSessionStream = ReturnType<typeof createOwnSessionStream>
