import type { Timestamp } from '../kernel/base/clock.ts'
import { type Queryable, sql } from '../kernel/db/client.ts'

/** A sign-in at a provider, as the end of the session that it began needs it. */
export type UpstreamSignIn = {
  /** id of its entry in the configuration */
  provider: string
  subject: string
  /** empty where the provider has none */
  issuer: string
  /** what the provider calls its own session */
  sid: string | null
  /** sealed; empty where there is none */
  idToken: string
}

/** The last sign-in counts: who proves anew who they are does so in another session of the provider. */
const NOTE = sql(
  'session.note_upstream',
  `insert into lethe.upstream_sessions (session_id, provider, subject, issuer, sid, id_token, signed_in_at)
  values (:session_id, :provider, :subject, :issuer, :sid, :id_token, :now)
  on conflict (session_id, provider, subject) do update
    set issuer = excluded.issuer, sid = excluded.sid, id_token = excluded.id_token, signed_in_at = excluded.signed_in_at`,
)

/** In the transaction that begins, renews or raises the session; the row goes with its end. @see recordEnds */
export async function noteUpstream(sessionId: string, signIn: UpstreamSignIn, now: Timestamp, tx: Queryable) {
  const { provider, subject, issuer, sid, idToken } = signIn
  await tx.query(NOTE, { session_id: sessionId, provider, subject, issuer, sid, id_token: idToken, now })
}
