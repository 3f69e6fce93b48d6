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

/** setTimeout takes no more than 2^31 ms; a shorter timer checks and starts the next. */
const LONGEST_MS = 24 * 3_600_000
/** Pause before asking again whether a session has ended, when the database did not answer. */
const RETRY_MS = 5000

/**
 * Tells the holder of a session when it ends, then closes. The session is read once more after joining the
 * feed: neither the check of the request nor the feed shows an end between the two.
 */
export function createOwnSessionStream(d: OwnSessionStreamDeps) {
  /** @throws StoreUnavailable before anything is written */
  async function open(credentials: Credentials, session: Session, sink: Sink): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    let latest = session
    const finish = (end: { cause: string | null; time: string | null }) => {
      if (sink.closed()) return
      // neither device nor actor: the holder of a session need not be its owner
      const data = { session_id: session.id, cause: end.cause, time: end.time }
      sink.write(`event: session.ended\ndata: ${JSON.stringify(data)}\n\n`)
      sink.end()
    }
    const { leave } = await d.feed.joinSession(session.id, ({ event }) => {
      if (event.type === 'session.ended') finish(event)
    })
    sink.onEnd(() => {
      leave()
      clearTimeout(timer)
    })

    /** The session as it is now, or undefined when it has ended. */
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
    /** At the expiry the session is read again: it may have been extended, and the collector may be late with the event. */
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
        if (sink.closed()) return
        timer = setTimeout(atExpiry, RETRY_MS).unref()
      }
    }

    const now = await current()
    if (!now) return await finishAsLogged()
    const data = { session_id: session.id, expires_at: now.expires_at }
    sink.write(`event: session.active\ndata: ${JSON.stringify(data)}\n\n`)
    sink.keepAlive(() => `${comment(d.feed.position()?.completeAt)}\n`)
    watchExpiry(now.expires_at)
  }

  return { open }
}

export type OwnSessionStream = ReturnType<typeof createOwnSessionStream>
