import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'

const DELETE = sql(
  'registration_code.delete_of_flow',
  'delete from identity_registration_codes where selfservice_registration_flow_id = $1 and nid = $2',
)

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

/** Once means once: of several at a time, the row is the judge. */
const USE = sql(
  'registration_code.use',
  `update identity_registration_codes set used_at = $3
  where id = $1 and nid = $2 and used_at is null and expires_at > $3 returning id`,
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
  return {
    /** The earlier codes of the flow are void. */
    async forget(flowId: string, tx: Queryable): Promise<void> {
      await tx.query(DELETE, [flowId, nid])
    },
    async insert({ id, hash, address, expiresAt, now, flowId }: NewRegistrationCode, tx: Queryable): Promise<void> {
      const { via, value } = address
      await tx.query(INSERT, { id, hash, via, value, now, nid, expires_at: expiresAt, flow: flowId })
    },
    ofFlow: (flowId: string) => db.query<RegistrationCodeRow>(OF_FLOW, [flowId, nid]),
    /** @returns whether this call used it */
    async use(id: string, now: Timestamp, tx: Queryable): Promise<boolean> {
      return (await tx.query(USE, [id, nid, now])).length > 0
    },
  }
}
