import type { Timestamp } from '../../../kernel/base/clock.ts'
import { type Db, type Queryable, sql } from '../../../kernel/db/client.ts'
import { codeRows } from '../store-rows.ts'

/** Nothing is inserted for an identity that does not exist. */
const INSERT = sql(
  'login_code.insert',
  `insert into identity_login_codes (id, code, address, address_type, expires_at, issued_at, selfservice_login_flow_id,
    created_at, updated_at, nid, identity_id)
  select :id::uuid, :hash::text, :address::text, :via::text, :expires_at::timestamp, :now::timestamp, :flow::uuid,
    :now, :now, :nid::uuid, i.id
  from identities i where i.id = :identity and i.nid = :nid`,
)

const OF_FLOW = sql(
  'login_code.of_flow',
  `select id, code as hash, address_type as via, address as value, used_at, expires_at
  from identity_login_codes where selfservice_login_flow_id = $1 and nid = $2 and identity_id = $3`,
)

const SENT_SINCE = sql(
  'login_code.sent_since',
  'select id from identity_login_codes where identity_id = $1 and nid = $2 and issued_at > $3 limit 1',
)

export interface NewLoginCode {
  id: string
  hash: string
  address: { via: string; value: string }
  expiresAt: Timestamp
  now: Timestamp
  flowId: string
  identityId: string
}

export interface LoginCodeRow {
  id: string
  hash: string
  via: string
  value: string
  used_at: Timestamp | null
  expires_at: Timestamp
}

export type LoginCodeStore = ReturnType<typeof createLoginCodeStore>

export function createLoginCodeStore(db: Db, nid: string) {
  const rows = codeRows(db, nid, 'login')
  return {
    ...rows,
    async insert(c: NewLoginCode, tx: Queryable): Promise<void> {
      const { via, value } = c.address
      await tx.query(INSERT, {
        id: c.id,
        hash: c.hash,
        address: value,
        via,
        expires_at: c.expiresAt,
        now: c.now,
        flow: c.flowId,
        identity: c.identityId,
        nid,
      })
    },
    ofFlow: (flowId: string, identityId: string) => db.query<LoginCodeRow>(OF_FLOW, [flowId, nid, identityId]),
    async sentSince(identityId: string, since: Timestamp): Promise<boolean> {
      return (await db.query(SENT_SINCE, [identityId, nid, since])).length > 0
    },
  }
}
