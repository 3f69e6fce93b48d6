/** The answer of `/sessions/revocations`, as far as it is read here. */
export interface RevocationAnswer {
  /** a number without epoch: from a server that knows no epochs */
  cursor: string | number
  epoch?: string
  /** the list is complete, not only what came after the previous one */
  reset?: boolean
  more: boolean
  /** how long ago the list was complete */
  behind_ms?: number
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

interface Note {
  /** of the log; of two positions in one epoch the later one counts */
  epoch: string | undefined
  seq: number
  ended: boolean
  at: number
}

/** Between this clock and the server's, before an entry is forgotten. */
const SLACK_MS = 5 * 60_000
const VOIDING = new Set(['identity_disabled', 'identity_deleted'])

/** The ended sessions, collected from lists and events in whatever order they come. */
export function createEnded() {
  const sessions = new Map<string, Note>()
  /** milliseconds; tokens of the identity that were issued before are void */
  const identities = new Map<string, number>()

  function note(id: string, next: Note): void {
    const known = sessions.get(id)
    if (known === undefined || known.seq < next.seq) sessions.set(id, next)
  }

  function addList(list: RevocationAnswer, now: number): void {
    const { epoch } = list
    for (const { id, seq, ended_at } of list.sessions) note(id, { epoch, seq, ended: true, at: Date.parse(ended_at) })
    for (const { id, not_before } of list.identities) identities.set(id, Date.parse(not_before))
    for (const { id, seq, identity_id } of list.resumed) {
      note(id, { epoch, seq, ended: false, at: now })
      if (identity_id !== null) identities.delete(identity_id)
    }
    const oldest = now - list.window_seconds * 1000 - SLACK_MS
    for (const [id, { at }] of sessions) if (at < oldest) sessions.delete(id)
    for (const [id, at] of identities) if (at < oldest) identities.delete(id)
  }

  /** Forgets what another epoch said after a position: it may be lost there, and its numbers stand for other events now. */
  function forgetOtherEpochs(epoch: string | undefined, after: number): void {
    for (const [id, known] of sessions) if (known.epoch !== epoch && known.seq > after) sessions.delete(id)
  }

  return {
    addList,
    forgetOtherEpochs,
    /** Replaces everything by a list, page by page, and keeps only what the stream said after it. */
    replace(pages: readonly RevocationAnswer[], now: number): void {
      const { epoch, cursor } = pages.at(-1)!
      const last = seqOf(cursor)
      for (const [id, known] of sessions) if (known.epoch !== epoch || known.seq <= last) sessions.delete(id)
      identities.clear()
      for (const page of pages) addList(page, now)
    },
    /** @param epoch the log of the event; @param listed that of the last list */
    addEvent(event: StreamEvent, epoch: string | undefined, listed: string | undefined): void {
      const { seq, type, time, cause, session_id, identity_id } = event
      if (session_id === null) return
      const ended = type === 'session.ended'
      // positions of two epochs cannot be compared: a `resumed` waits for the next list
      if (epoch !== listed && !ended) return
      if (epoch !== listed) sessions.delete(session_id)
      note(session_id, { epoch, seq, ended, at: Date.parse(time) })
      if (identity_id === null) return
      if (type === 'session.resumed') identities.delete(identity_id)
      else if (cause !== null && VOIDING.has(cause)) identities.set(identity_id, Date.parse(time))
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

/** The number in a position such as `0f5f8a5e.4711`. */
export function seqOf(position: string | number): number {
  return Number(String(position).replace(/^\w{8}\./, ''))
}
