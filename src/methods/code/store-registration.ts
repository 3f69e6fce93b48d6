import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'
import { codeRows } from './store-rows.ts'

const INSERT = sql(
  'registration_code.insert',
  `insert into identity_registration_codes (id, code, address, address_type, expires_at, issued_at,
    selfservice_registration_flow_id, created_at, updated_at, nid)
  values (:id, :hash, :value, :via, :expires_at, :now, :flow, :now, :now, :nid)`,
)

const OF_FLOW = sql(
  'registration_code.of_flow',
  `select id, code as hash, address_type as via, address as value, used_at, expires_at
  from identity_registration_codes where selfservice_registration_flow_id = $1 and nid = $2`,
)

export interface NewRegistrationCode {
  id: string
  hash: string
  address: { via: string; value: string }
  expiresAt: Timestamp
  now: Timestamp
  flowId: string
}

export interface RegistrationCodeRow {
  id: string
  hash: string
  via: 'email' | 'sms'
  value: string
  used_at: Timestamp | null
  expires_at: Timestamp
}

export type RegistrationCodeStore = ReturnType<typeof createRegistrationCodeStore>

export function createRegistrationCodeStore(db: Db, nid: string) {
  const rows = codeRows(db, nid, 'registration')
  return {
    ...rows,
    async insert({ id, hash, address, expiresAt, now, flowId }: NewRegistrationCode, tx: Queryable): Promise<void> {
      const { via, value } = address
      await tx.query(INSERT, { id, hash, via, value, now, nid, expires_at: expiresAt, flow: flowId })
    },
    ofFlow: (flowId: string) => db.query<RegistrationCodeRow>(OF_FLOW, [flowId, nid]),
  }
}
