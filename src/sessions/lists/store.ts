import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, type Sql, sql } from '../../kernel/db/client.ts'
import { live, notLive } from '../lifecycle.ts'
import { toSession } from '../row.ts'
import { NO_RULES, type RulesSql } from '../rules.ts'
import { DEVICES, IDENTITY_BYTES, IDENTITY_ROW, SESSION_COLUMNS } from '../sql.ts'
import type { ActiveFilter, Device, Session, SessionRow } from '../types.ts'

const LAST_SEEN = '(select x.seen_at from lethe.last_seen x where x.session_id = s.id) as last_seen'

/** One text for each filter: with `$n is null or …` in it, a generic plan could use none of the indexes well. */
const condition = (now: string): Record<ActiveFilter, string> => ({
  any: 'true',
  active: live('s', now),
  inactive: notLive('s', now),
})

const NAMES: Record<ActiveFilter, string> = { any: '', active: '_active', inactive: '_inactive' }

function perFilter(build: (filter: ActiveFilter) => Sql): Record<ActiveFilter, Sql> {
  return { any: build('any'), active: build('active'), inactive: build('inactive') }
}

/** A page shows an identity with each session, and identities may be large: then it holds fewer, but at least one. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024

/** "created_at <=" first, so that the index is entered at the key and not at its beginning. */
const LIST = perFilter((filter) =>
  sql(
    `session.list${NAMES[filter]}`,
    `with candidates as (
      select s.id, s.created_at, ${IDENTITY_BYTES} as bytes
      from sessions s left join identities i on :with_identity::boolean and i.id = s.identity_id and i.nid = s.nid
      where s.nid = :nid and s.created_at <= :created_at and (s.created_at < :created_at or s.id > :after_id)
        and ${condition(':now')[filter]}
      order by s.created_at desc, s.id limit :limit
    ), summed as (
      select id, sum(bytes) over page as bytes, row_number() over page as number from candidates
      window page as (order by created_at desc, id)
    ), fitting as (
      select id from summed where number = 1 or bytes <= ${MAX_PAGE_BYTES}
    )
    select ${SESSION_COLUMNS}, ${LAST_SEEN}, s.created_at as listed_at, ${IDENTITY_ROW},
      :with_devices::boolean as with_devices, case when :with_devices::boolean then ${DEVICES} end as devices,
      (select count(*) from candidates) > (select count(*) from fitting) as cut
    from fitting join sessions s on s.id = fitting.id
      left join identities i on :with_identity::boolean and i.id = s.identity_id and i.nid = s.nid
    order by s.created_at desc, s.id`,
  ),
)

/** All rows show the same identity: how many of them fit is known before, so the `:offset` rows to skip are whole pages. */
const FITTING = `
  select greatest(1, least(:limit::bigint, ${MAX_PAGE_BYTES} / (1 + ${IDENTITY_BYTES}))) as size
  from identities i where i.id = :identity_id and i.nid = :nid`

/** The count is in the row of the outer join, so that a page beyond the end has it too. */
const LIST_OF = perFilter((filter) =>
  sql(
    `session.list_of_identity${NAMES[filter]}`,
    `with matching as materialized (
      select s.id, s.created_at from sessions s
      where s.identity_id = :identity_id and s.nid = :nid and (:except::uuid is null or s.id <> :except)
        and ${condition(':now')[filter]}
    ), fitting as materialized (${FITTING}), page as (
      select m.id from matching m order by m.created_at desc, m.id
      limit (select size from fitting) offset :offset::bigint / :limit::bigint * (select size from fitting)
    )
    select (select count(*) from matching) as total, (select size from fitting) as size,
      ${SESSION_COLUMNS}, ${LAST_SEEN}, s.created_at as listed_at, ${IDENTITY_ROW},
      true as with_devices, ${DEVICES} as devices
    from (values (true)) one (row) left join (
      page join sessions s on s.id = page.id join identities i on i.id = s.identity_id and i.nid = s.nid
    ) on true
    order by s.created_at desc, s.id`,
  ),
)

/** A session in a list. Addresses of its identity are not read. */
export interface ListedSession extends Omit<Session, 'identity' | 'devices'> {
  listedAt: Timestamp
  /** when it was last used, as far as it was noted */
  lastSeen: Timestamp | null
  /** whether rows of this page were left out for their size */
  cut: boolean
  /** null unless asked for */
  identity: Session['identity'] | null
  /** null unless asked for */
  devices: Device[] | null
}

export interface SessionsOf {
  sessions: ListedSession[]
  total: number
  size: number
}

export interface ListQuery {
  filter: ActiveFilter
  now: Timestamp
  /** the row after which the page begins, in the order newest first, then by id */
  after: { createdAt: Timestamp; id: string }
  limit: number
  withIdentity: boolean
  withDevices: boolean
}

export interface ListOfQuery {
  filter: ActiveFilter
  now: Timestamp
  except: string | undefined
  limit: number
  offset: number
}

export type SessionListStore = ReturnType<typeof createSessionListStore>

export function createSessionListStore(db: Db, nid: string, rules: RulesSql = NO_RULES) {
  return {
    /** Sessions of all identities, newest first. */
    async list(q: ListQuery): Promise<ListedSession[]> {
      const rows = await db.query<ListedRow>(LIST[q.filter], {
        nid,
        created_at: q.after.createdAt,
        after_id: q.after.id,
        limit: q.limit,
        now: q.now,
        rules: rules.sql(),
        with_identity: q.withIdentity,
        with_devices: q.withDevices,
      })
      return rows.map(toListed)
    },
    /** Sessions of one identity, newest first, how many there are on all pages, and how many fit on one. */
    async listOf(identityId: string, q: ListOfQuery): Promise<SessionsOf> {
      const rows = await db.query<ListedRow & { total: number; size: number | null }>(LIST_OF[q.filter], {
        identity_id: identityId,
        nid,
        except: q.except ?? null,
        limit: q.limit,
        offset: q.offset,
        now: q.now,
        rules: rules.sql(),
      })
      const [first] = rows
      return {
        total: first?.total ?? 0,
        size: first?.size ?? q.limit,
        sessions: rows.filter((row) => row.id !== null).map(toListed),
      }
    },
  }
}

type ListedRow = SessionRow & {
  /** not of a list of one identity, where all rows are of one size */
  cut?: boolean
  listed_at: Timestamp
  last_seen: Timestamp | null
  /** whether devices were asked for */
  with_devices: boolean
}

function toListed(row: ListedRow): ListedSession {
  const { identity, ...session } = toSession({
    ...row,
    second_factor: null,
    verifiable_addresses: null,
    recovery_addresses: null,
  })
  const hasIdentity = row.schema_id !== null
  return {
    ...session,
    listedAt: row.listed_at,
    lastSeen: row.last_seen,
    cut: row.cut ?? false,
    devices: row.with_devices ? session.devices : null,
    identity: hasIdentity ? identity : null,
  }
}
