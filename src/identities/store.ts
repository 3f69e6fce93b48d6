import { listOfTypes } from '../credentials/sql.ts'
import { type Db, NotLocked, type Queryable, sql } from '../kernel/db/client.ts'
import { SELECT_FULL, STORED_BYTES, selectListed } from './sql.ts'
import type { FullIdentity } from './types.ts'

const BY_ID = sql('identity.by_id', `${SELECT_FULL} where i.id = $1 and i.nid = $2`)

/**
 * Apart from the read, whose snapshot may be older than the lock. Not `for update`: rows that only refer to the identity, such
 * as those of flows, need not wait.
 */
const LOCK = sql('identity.lock', 'select id from identities where id = $1 and nid = $2 for no key update skip locked')

const BY_EXTERNAL_ID = sql('identity.by_external_id', `${SELECT_FULL} where i.external_id = $1 and i.nid = $2`)

const BY_IDENTIFIER = sql(
  'identity.by_identifier',
  `${SELECT_FULL} where i.nid = $2 and i.id = (
    select x.identity_id from identity_credential_identifiers x
    join identity_credential_types t on t.id = x.identity_credential_type_id
    where x.nid = $2 and t.name = $3 and x.identifier = $1)`,
)

/** If several types name different identities, the first type by name. */
const BY_ANY_IDENTIFIER = sql(
  'identity.by_any_identifier',
  `${SELECT_FULL} where i.nid = $2 and i.id = (
    select x.identity_id from identity_credential_identifiers x
    join identity_credential_types t on t.id = x.identity_credential_type_id
    where x.nid = $2 and t.name in ${listOfTypes(({ identifiers }) => identifiers === 'derived')} and x.identifier = $1
    order by t.name limit 1)`,
)

/** Rows from a registration by a security key; others use the id of their identity as the handle. */
const BY_USER_HANDLE = sql(
  'identity.by_user_handle',
  `${SELECT_FULL} where i.nid = $2 and i.id = (
    select c.identity_id from identity_credentials c
    where c.nid = $2 and c.config ? 'user_handle' and c.config ->> 'user_handle' = $1
    order by c.created_at limit 1)`,
)

/** Derived identifiers are stored normalised. */
const NORMALISED_TYPES = listOfTypes(({ identifiers }) => identifiers === 'derived')
const EXACT_TYPES = listOfTypes(({ identifiers }) => identifiers === 'exact')

/** Traits and metadata may be large; identities that do not fit are on the next page. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024

/** Keyset pages: the rows after an id. */
const page = (name: string, filter: string) =>
  sql(
    `identity.list_${name}`,
    selectListed(
      `select i.id, ${STORED_BYTES} as bytes
      from identities i where i.nid = :nid and i.id > :after and ${filter} order by i.id limit :size offset :skip`,
      MAX_PAGE_BYTES,
      ':credentials',
    ),
  )

const identified = (matches: (value: string) => string) => `i.id in (
  select x.identity_id from identity_credential_identifiers x
  join identity_credential_types t on t.id = x.identity_credential_type_id
  where x.nid = :nid and (
    (t.name in ${NORMALISED_TYPES} and ${matches(':normalised')}) or (t.name in ${EXACT_TYPES} and ${matches(':exact')})))`

const LIST = {
  all: page('all', 'true'),
  ids: page('ids', 'i.id = any(:ids::uuid[])'),
  organization: page('organization', 'i.organization_id = :organization::uuid'),
  identifier: page(
    'identifier',
    identified((value) => `x.identifier = ${value}`),
  ),
  similar: page(
    'similar',
    identified((value) => `starts_with(x.identifier, ${value})`),
  ),
}

const COUNT = sql('identity.count', 'select count(*) as count from identities where nid = $1')

/** Which identities a list holds. `normalised` and `exact` are the two forms of one search text. */
export type ListFilter =
  | { kind: 'all' }
  | { kind: 'ids'; ids: readonly string[] }
  | { kind: 'organization'; organization: string }
  | { kind: 'identifier' | 'similar'; normalised: string; exact: string }

export interface ListPage {
  /** rows with a greater id follow */
  after: string
  size: number
  skip: number
  credentials: boolean
}

export interface IdentityPage {
  identities: FullIdentity[]
  /** whether rows were left out for their size */
  cut: boolean
}

export type IdentityStore = ReturnType<typeof createIdentityStore>

/** Reads identities of one network. Ids must be UUIDs: anything else is an error of the statement. */
export function createIdentityStore(db: Db, nid: string) {
  const one = async (rows: Promise<FullIdentity[]>) => (await rows)[0]
  return {
    byId: (id: string, on: Queryable = db) => one(on.query<FullIdentity>(BY_ID, [id, nid])),
    /** Reads, and locks the identity against other writers until the transaction ends. @throws NotLocked */
    async lock(tx: Queryable, id: string): Promise<FullIdentity> {
      if ((await tx.query(LOCK, [id, nid])).length === 0) throw new NotLocked(`${LOCK.name}: not to be had`)
      return (await one(tx.query<FullIdentity>(BY_ID, [id, nid])))!
    },
    byExternalId: (externalId: string) => one(db.query<FullIdentity>(BY_EXTERNAL_ID, [externalId, nid])),
    /** @param identifier in stored form */
    byIdentifier: (type: string, identifier: string) =>
      one(db.query<FullIdentity>(BY_IDENTIFIER, [identifier, nid, type])),
    byAnyIdentifier: (identifier: string) => one(db.query<FullIdentity>(BY_ANY_IDENTIFIER, [identifier, nid])),
    byUserHandle: (base64: string) => one(db.query<FullIdentity>(BY_USER_HANDLE, [base64, nid])),
    /** Ordered by id. */
    async list(filter: ListFilter, page: ListPage): Promise<IdentityPage> {
      const rows = await db.query<FullIdentity & { more: boolean }>(LIST[filter.kind], { ...page, ...filter, nid })
      return { identities: rows.map(({ more: _, ...identity }) => identity), cut: rows[0]?.more ?? false }
    },
    async count(): Promise<number> {
      const [row] = await db.query<{ count: number }>(COUNT, [nid])
      return row?.count ?? 0
    },
  }
}
