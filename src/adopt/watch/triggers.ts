/**
 * The triggers that watch a table of Kratos, as text. Their functions live in the schema `lethe`; only the triggers are on
 * Kratos's tables. The functions run with the rights of their owner, so that Kratos's role needs none in `lethe`.
 *
 * Ends by Lethe itself are in the log already when a trigger looks: a statement writes the event together with the end, and
 * its triggers run after all of it. So the writer need not be known, which a setting on a pooler's connection could confuse.
 */

export interface WatchObject {
  /** of the function in the schema `lethe` */
  name: string
  /** its purpose, for people */
  purpose: string
  /** `create function …` */
  create: string
  /** the body, as `pg_proc.prosrc` returns it: shows whether it is of this release */
  body: string
  trigger: { name: string; table: 'sessions' | 'identities'; create: string }
}

const NOW = "declare at timestamp := clock_timestamp() at time zone 'utc';"
const ACTOR = `jsonb_build_object('type', 'database', 'role', session_user, 'application', current_setting('application_name'))`
const ENDED = `insert into lethe.events (id, type, cause, session_id, identity_id, nid, actor, created_at)
  select gen_random_uuid(), 'session.ended', e.cause, e.id, e.identity_id, e.nid, ${ACTOR}, at from ended e order by e.id
  on conflict do nothing;`
/** So that no later write of Kratos revives the session: a refresh login there writes the whole row. */
const TOMBSTONES = `tombstone as (
    insert into lethe.tombstones (session_id, ended_at) select e.id, at from ended e on conflict do nothing
  )`
/**
 * Each half uses one of two indexes. Scalars, not `not exists`: as a join, a generic plan from when the log was
 * small compared each of 8,000 new rows with each event, and took 158 s.
 */
const told = (condition: string) =>
  `(select true from lethe.events x where x.session_id = n.id and ${condition} limit 1)`
const UNTOLD = `${told("x.type = 'session.ended' and not x.resumed")} is null
    and ${told("(x.type <> 'session.ended' or x.resumed)")} is null`

const BEGUN = `
${NOW}
begin
  insert into lethe.events (id, type, session_id, identity_id, nid, actor, created_at)
  select gen_random_uuid(), 'session.created', n.id, n.identity_id, n.nid, ${ACTOR}, at
  from new_rows n
  where n.active and n.expires_at > at and n.nid is not null and ${UNTOLD};
  return null;
end`

/** The log is not touched unless something ends: its lock would hold up its readers for as long as the transaction lasts. */
const whereSome = (condition: string, from: string, work: string) => `
${NOW}
begin
  if exists (select from ${from} where ${condition}) then
    ${work}
  end if;
  return null;
end`

const CHANGED_FROM = 'old_rows o left join new_rows n on n.id = o.id'
/** `active` became false, or the time was set to a past one. */
const CHANGED_ENDS = `o.active and o.nid is not null
    and (n.active is not true or o.expires_at > at and n.expires_at <= at)`
const CHANGED = whereSome(
  CHANGED_ENDS,
  CHANGED_FROM,
  `with ended as materialized (
    select o.id, o.identity_id, o.nid, case when o.expires_at <= at then 'expired' else 'ended_elsewhere' end as cause
    from ${CHANGED_FROM} where ${CHANGED_ENDS}
  ), ${TOMBSTONES}
  ${ENDED}`,
)

const LIVE = 'o.active and o.nid is not null'
const deleted = (home: string) =>
  whereSome(
    LIVE,
    'old_rows o',
    `with ended as materialized (
    select o.id, o.identity_id, o.nid, case
      when (select true from ${home}.identities i where i.id = o.identity_id) is null then 'identity_deleted'
      when o.expires_at <= at then 'expired' else 'ended_elsewhere' end as cause
    from old_rows o where ${LIVE}
  ), ${TOMBSTONES}
  ${ENDED}`,
  )

const truncated = (home: string) => `
${NOW}
begin
  with ended as materialized (
    select o.id, o.identity_id, o.nid, case when o.expires_at <= at then 'expired' else 'ended_elsewhere' end as cause
    from ${home}.sessions o where ${LIVE}
  ), ${TOMBSTONES}
  ${ENDED}
  return null;
end`

const SUSPENDABLE = (home: string) => `select s.id, s.identity_id, s.nid from ${home}.sessions s
    where s.identity_id = new.id and s.active and s.expires_at > at and s.nid is not null
      and not exists (select from lethe.tombstones x where x.session_id = s.id)
    order by s.id for update`

/** At commit, when Lethe has written its own events about an identity that it disables or enables. */
const stateChanged = (home: string) => `
${NOW}
  present text := (select i.state from ${home}.identities i where i.id = new.id);
begin
  if present is null then
    return null;
  elsif present = 'active' then
    with target as materialized (
    ${SUSPENDABLE(home)}
    ), taken_back as (
      update lethe.events e set resumed = true from target t
      where e.session_id = t.id and e.type = 'session.ended' and e.cause = 'identity_disabled' and not e.resumed
      returning e.session_id, e.identity_id, e.nid
    )
    insert into lethe.events (id, type, session_id, identity_id, nid, actor, created_at)
    select gen_random_uuid(), 'session.resumed', b.session_id, b.identity_id, b.nid, ${ACTOR}, at from taken_back b;
  else
    with target as materialized (
    ${SUSPENDABLE(home)}
    )
    insert into lethe.events (id, type, cause, session_id, identity_id, nid, actor, created_at)
    select gen_random_uuid(), 'session.ended', 'identity_disabled', t.id, t.identity_id, t.nid, ${ACTOR}, at from target t
    on conflict do nothing;
  end if;
  return null;
end`

interface Spec {
  name: string
  purpose: string
  body: string
  /** of the trigger */
  when: string
  table: 'sessions' | 'identities'
  rows: string
  /** settings of the function: its plans are kept, and one made for a single row must be good for a million */
  plans: readonly string[]
}

/** An index look-up for each row, also if the table was small when the plan was made. */
const ROW_BY_ROW = ['enable_seqscan = off']
/** For two lists without an index. */
const ALL_AT_ONCE = ['enable_nestloop = off']
const EACH_STATEMENT = 'for each statement'

const specs = (home: string): Spec[] => [
  {
    ...{ name: 'watch_session_insert', purpose: 'tells sign-ins', body: BEGUN, plans: ROW_BY_ROW },
    ...{ when: 'after insert', table: 'sessions', rows: `referencing new table as new_rows ${EACH_STATEMENT}` },
  },
  {
    ...{ name: 'watch_session_update', purpose: 'tells sessions that are ended', body: CHANGED, plans: ALL_AT_ONCE },
    ...{ when: 'after update', table: 'sessions' },
    rows: `referencing old table as old_rows new table as new_rows ${EACH_STATEMENT}`,
  },
  {
    ...{ name: 'watch_session_delete', purpose: 'tells sessions that are deleted', body: deleted(home) },
    ...{ when: 'after delete', table: 'sessions', rows: `referencing old table as old_rows ${EACH_STATEMENT}` },
    plans: ROW_BY_ROW,
  },
  {
    ...{ name: 'watch_session_truncate', purpose: 'tells sessions of a table that is emptied', body: truncated(home) },
    ...{ when: 'before truncate', table: 'sessions', rows: EACH_STATEMENT, plans: [] },
  },
  {
    name: 'watch_identity_state',
    purpose: 'tells sessions of identities that are disabled or enabled',
    ...{ body: stateChanged(home), when: 'after update of state', table: 'identities', plans: [] },
    rows: 'deferrable initially deferred for each row when (old.state is distinct from new.state)',
  },
]

/** @param home the schema of Kratos's tables, quoted */
export function watchObjects(home: string): WatchObject[] {
  return specs(home).map(({ name, purpose, body, when, table, rows, plans }) => {
    const settings = ['search_path = pg_catalog, pg_temp', ...plans].map((setting) => `set ${setting}`).join(' ')
    const trigger = `lethe_${name}`
    const kind = rows.startsWith('deferrable') ? 'constraint trigger' : 'trigger'
    return {
      ...{ name, purpose, body },
      create: `create function lethe.${name}() returns trigger language plpgsql security definer ${settings} as $watch$${body}$watch$;
        revoke all on function lethe.${name}() from public`,
      trigger: {
        ...{ name: trigger, table },
        create: `create ${kind} ${trigger} ${when} on ${home}.${table} ${rows} execute function lethe.${name}()`,
      },
    }
  })
}
