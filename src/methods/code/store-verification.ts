import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'
import { codeRows } from './store-rows.ts'

/** Nothing is inserted for an address that does not exist. */
const INSERT = sql(
  'verification_code.insert',
  `insert into identity_verification_codes (id, code_hmac, identity_verifiable_address_id, expires_at, issued_at,
    selfservice_verification_flow_id, created_at, updated_at, nid)
  select :id::uuid, :hash::text, a.id, :expires_at::timestamp, :now::timestamp, :flow::uuid, :now, :now, :nid::uuid
  from identity_verifiable_addresses a where a.id = :address and a.nid = :nid for key share`,
)

const OF_FLOW = sql(
  'verification_code.of_flow',
  `select c.id, c.code_hmac as hash, c.used_at, c.expires_at, a.identity_id, a.via, a.value
  from identity_verification_codes c join identity_verifiable_addresses a on a.id = c.identity_verifiable_address_id
  where c.selfservice_verification_flow_id = $1 and c.nid = $2`,
)

export interface NewVerificationCode {
  id: string
  hash: string
  addressId: string
  expiresAt: Timestamp
  now: Timestamp
  flowId: string
}

export interface VerificationCodeRow {
  id: string
  hash: string
  used_at: Timestamp | null
  expires_at: Timestamp
  identity_id: string
  via: string
  value: string
}

export type VerificationCodeStore = ReturnType<typeof createVerificationCodeStore>

export function createVerificationCodeStore(db: Db, nid: string) {
  const rows = codeRows(db, nid, 'verification')
  return {
    use: rows.use,
    /** Replaces the code of the flow. */
    async replace(c: NewVerificationCode, tx: Queryable): Promise<void> {
      await rows.hold(c.addressId, tx)
      await tx.query(INSERT, { ...c, nid, expires_at: c.expiresAt, flow: c.flowId, address: c.addressId })
      // last, since a deleted address takes its codes along
      await rows.forget(c.flowId, tx, c.id)
    },
    ofFlow: (flowId: string) => db.query<VerificationCodeRow>(OF_FLOW, [flowId, nid]),
  }
}
