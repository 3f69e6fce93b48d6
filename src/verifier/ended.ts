/** The answer of `/sessions/revocations`, as far as it is read here. */
export interface RevocationAnswer {
  cursor: number
  more: boolean
  window_seconds: number
  sessions: { id: string; seq: number; ended_at: string }[]
  identities: { id: string; not_before: string }[]
  resumed: { id: string; seq: number; identity_id: string | null }[]
}

/** An event of the stream, as far as it is read here. */
export interface StreamEvent {
  seq: number
  type: string
  time: string
  cause: string | null
  session_id: string | null
  identity_id: string | null
}

/** Between this clock and the server's, before an entry is forgotten. */
const SLACK_MS = 5 * 60_000
const VOIDING = new Set(['identity_disabled', 'identity_deleted'])

/** What has ended, put together from lists and events in whatever order they come. */
export function createEnded() {
  /** the last thing known of each session, by its place in the log */
  const sessions = new Map<string, { seq: number; ended: boolean; at: number }>()
  /** milliseconds before which tokens of an identity are void */
  const identities = new Map<string, number>()

  function note(id: string, seq: number, ended: boolean, at: number): void {
    const known = sessions.get(id)
    if (known === undefined || known.seq < seq) sessions.set(id, { seq, ended, at })
  }

  return {
    addList(list: RevocationAnswer, now: number): void {
      for (const { id, seq, ended_at } of list.sessions) note(id, seq, true, Date.parse(ended_at))
      for (const { id, not_before } of list.identities) identities.set(id, Date.parse(not_before))
      for (const { id, seq, identity_id } of list.resumed) {
        note(id, seq, false, now)
        if (identity_id !== null) identities.delete(identity_id)
      }
      const oldest = now - list.window_seconds * 1000 - SLACK_MS
      for (const [id, { at }] of sessions) if (at < oldest) sessions.delete(id)
      for (const [id, at] of identities) if (at < oldest) identities.delete(id)
    },
    addEvent({ seq, type, time, cause, session_id, identity_id }: StreamEvent): void {
      if (session_id === null) return
      note(session_id, seq, type === 'session.ended', Date.parse(time))
      if (identity_id === null) return
      if (type === 'session.resumed') identities.delete(identity_id)
      else if (cause !== null && VOIDING.has(cause)) identities.set(identity_id, Date.parse(time))
    },
    clear(): void {
      sessions.clear()
      identities.clear()
    },
    hasEnded: (sessionId: string): boolean => sessions.get(sessionId)?.ended === true,
    /** @param issuedAt seconds */
    isVoid(identityId: string, issuedAt: number): boolean {
      const mark = identities.get(identityId)
      return mark !== undefined && issuedAt * 1000 < mark
    },
    size: () => sessions.size,
  }
}

export type Ended = ReturnType<typeof createEnded>
