import { type Micros, parseTime } from '../kernel/base/clock.ts'
import type { EndDetails, Session } from './types.ts'

/**
 * Whether a session is live, as SQL and as code, and how its end is recorded. Nothing else decides it: `active` is only the
 * stored flag, which Kratos may set again on a shared database.
 */

/**
 * Whether Lethe has ended the session, whatever its row says. A scalar sub-select: for `exists` a generic plan
 * hashes the whole table.
 * @param s alias of `sessions`
 */
export const tombstoned = (s: string) =>
  `coalesce((select true from lethe.tombstones x where x.session_id = ${s}.id), false)`

/** The schema of the identity, where that is not joined. */
const schemaOf = (s: string) => `(select r.schema_id from identities r where r.id = ${s}.identity_id)`
/** A limit of `:rules` (see rules.ts) for the sessions of a schema; null: none. */
const limit = (schema: string, name: 'idle' | 'absolute') =>
  `(coalesce(:rules::jsonb -> ${schema}, :rules::jsonb -> '') ->> '${name}')::interval`

/** When the rules end the session unless it is used again; null: never. `least` ignores null. */
const idleEnd = (s: string, schema: string) => `greatest(${s}.authenticated_at,
    (select u.seen_at from lethe.last_seen u where u.session_id = ${s}.id)) + ${limit(schema, 'idle')}`
const absoluteEnd = (s: string, schema: string) => `${s}.issued_at + ${limit(schema, 'absolute')}`

/** When the session ends at the latest, however it is used. */
export const lastEnd = (s: string, schema = schemaOf(s), expiresAt = `${s}.expires_at`) =>
  `case when :rules::jsonb is null then ${expiresAt} else least(${expiresAt}, ${absoluteEnd(s, schema)}) end`
/** When the session ends unless it is used again. */
export const nextEnd = (s: string, schema = schemaOf(s)) =>
  `case when :rules::jsonb is null then ${s}.expires_at
    else least(${s}.expires_at, ${absoluteEnd(s, schema)}, ${idleEnd(s, schema)}) end`
/** The rule that has ended it first, as the cause of its end; null when none has by `now`, or it had expired before. */
export const endedByRule = (s: string, now: string, schema = schemaOf(s)) => `case
    when ${absoluteEnd(s, schema)} <= least(${now}, ${idleEnd(s, schema)}, ${s}.expires_at) then 'absolute'
    when ${idleEnd(s, schema)} <= least(${now}, ${s}.expires_at) then 'idle' end`

/** Whether the session has neither ended nor expired; ignores the state of its identity. */
export const live = (s: string, now: string) =>
  `${s}.active and ${s}.expires_at > ${now} and ${nextEnd(s)} > ${now} and not ${tombstoned(s)}`

/** The opposite, for rows of which `active` may be null. */
export const notLive = (s: string, now: string) =>
  `(not coalesce(${s}.active, false) or ${s}.expires_at <= ${now} or ${nextEnd(s)} <= ${now} or ${tombstoned(s)})`

/**
 * Whether a session is accepted: not ended, not expired, and its identity not disabled.
 * @param identityState undefined where it is unknown or does not matter
 */
export function isLive(
  session: Pick<Session, 'active' | 'tombstoned' | 'expires_at'>,
  identityState: string | undefined,
  now: Micros,
): boolean {
  const { active, tombstoned, expires_at } = session
  return active && !tombstoned && parseTime(expires_at) > now && (identityState ?? 'active') === 'active'
}

/** SQL of what is recorded with an end. `shared`: whether another program may write the same tables. */
export interface RecordedEnd {
  cause: string
  now: string
  nid: string
  shared: string
  /** jsonb; null where the cause implies the actor */
  actor?: string
  /** jsonb */
  data?: string
}

/**
 * Appends the end of each row of a CTE `ended (id, identity_id)` to the event log, and a tombstone where another
 * program may write the same table; what was kept for the end alone goes. All in the statement that ends the session,
 * so that none of it can be lost.
 */
export function recordEnds({
  cause,
  now,
  nid,
  shared,
  actor = 'null::jsonb',
  data = 'null::jsonb',
}: RecordedEnd): string {
  return `event as (
    insert into lethe.events (id, type, cause, session_id, identity_id, nid, actor, data, created_at)
    select gen_random_uuid(), 'session.ended', ${cause}, ended.id, ended.identity_id, ${nid}, ${actor}, ${data}, ${now}
    from ended
    on conflict do nothing
  ), tombstone as (
    insert into lethe.tombstones (session_id, ended_at)
    select ended.id, ${now} from ended where ${shared}
    on conflict do nothing
  ), upstream as (
    delete from lethe.upstream_sessions where session_id = any (array(select ended.id from ended))
  )`
}

/** The values of `:actor` and `:data`. */
export const detailValues = ({ actor, data }: EndDetails) => ({
  actor: actor ? JSON.stringify(actor) : null,
  data: data ? JSON.stringify(data) : null,
})
