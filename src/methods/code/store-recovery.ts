import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'
import { codeRows } from './store-rows.ts'

/** Nothing is inserted for an identity or an address that is not there any more. */
const INSERT = sql(
  'recovery_code.insert',
  `insert into identity_recovery_codes (id, code, identity_recovery_address_id, code_type, expires_at, issued_at,
    selfservice_recovery_flow_id, created_at, updated_at, nid, identity_id)
  select :id::uuid, :hash::text, :address::uuid, :type::int, :expires_at::timestamp, :now::timestamp, :flow::uuid, :now, :now, :nid::uuid, i.id
  from identities i where i.id = :identity and i.nid = :nid and (:address::uuid is null or exists (
    select 1 from identity_recovery_addresses a where a.id = :address and a.nid = :nid for key share))`,
)

const OF_FLOW = sql(
  'recovery_code.of_flow',
  `select c.id, c.code as hash, c.used_at, c.expires_at, c.identity_id, a.via, a.value
  from identity_recovery_codes c
  left join identity_recovery_addresses a on a.id = c.identity_recovery_address_id and c.code_type = 2
  where c.selfservice_recovery_flow_id = $1 and c.nid = $2`,
)

/** Issued by an operator, or by the flow itself. */
export const CODE_TYPE = { admin: 1, selfService: 2 } as const

export interface NewRecoveryCode {
  id: string
  hash: string
  /** undefined if an operator issued it */
  addressId: string | undefined
  type: (typeof CODE_TYPE)[keyof typeof CODE_TYPE]
  expiresAt: Timestamp
  now: Timestamp
  flowId: string
  identityId: string
}

export interface RecoveryCodeRow {
  id: string
  hash: string
  used_at: Timestamp | null
  expires_at: Timestamp
  identity_id: string
  /** the address that it was sent to; null if an operator issued it */
  via: string | null
  value: string | null
}

export type RecoveryCodeStore = ReturnType<typeof createRecoveryCodeStore>

export function createRecoveryCodeStore(db: Db, nid: string) {
  const rows = codeRows(db, nid, 'recovery')
  return {
    use: rows.use,
    /** Replaces the code of the flow. */
    async replace(c: NewRecoveryCode, tx: Queryable): Promise<void> {
      await rows.hold(c.identityId, tx)
      const ids = { flow: c.flowId, identity: c.identityId, address: c.addressId ?? null }
      await tx.query(INSERT, { ...c, ...ids, nid, expires_at: c.expiresAt })
      // last, since a deleted address takes its codes along
      await rows.forget(c.flowId, tx, c.id)
    },
    ofFlow: (flowId: string) => db.query<RecoveryCodeRow>(OF_FLOW, [flowId, nid]),
  }
}
