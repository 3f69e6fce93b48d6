import { HOLD_IDENTITY, HOLD_OWNER } from '../../identities/sql.ts'
import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, type Queryable, type Sql, sql } from '../../kernel/db/client.ts'

/** Nothing is inserted for an identity or an address that is not there any more. */
const INSERT_RECOVERY = sql(
  'recovery_token.insert',
  `insert into identity_recovery_tokens (id, token, used, identity_recovery_address_id, token_type, expires_at, issued_at,
    selfservice_recovery_flow_id, created_at, updated_at, nid, identity_id)
  select :id::uuid, :hash::text, false, :address::uuid, :type::int, :expires_at::timestamp, :now::timestamp, :flow::uuid, :now, :now, :nid::uuid, i.id
  from identities i where i.id = :identity and i.nid = :nid and (:address::uuid is null or exists (
    select 1 from identity_recovery_addresses a where a.id = :address and a.nid = :nid for key share))`,
)

const INSERT_VERIFICATION = sql(
  'verification_token.insert',
  `insert into identity_verification_tokens (id, token, used, identity_verifiable_address_id, expires_at, issued_at,
    selfservice_verification_flow_id, created_at, updated_at, nid)
  select :id::uuid, :hash::text, false, a.id, :expires_at::timestamp, :now::timestamp, :flow::uuid, :now, :now, :nid::uuid
  from identity_verifiable_addresses a where a.id = :address and a.nid = :nid for key share`,
)

/** Looked up by hash: the time of the comparison reveals nothing to a caller without the token. */
const FIND_RECOVERY = sql(
  'recovery_token.find',
  `select t.id, t.used, t.expires_at, t.identity_id, a.via, a.value
  from identity_recovery_tokens t
  left join identity_recovery_addresses a on a.id = t.identity_recovery_address_id and t.token_type = 2
  where t.selfservice_recovery_flow_id = $1 and t.nid = $2 and t.token = any ($3::text[])`,
)

const FIND_VERIFICATION = sql(
  'verification_token.find',
  `select t.id, t.used, t.expires_at, a.identity_id, a.via, a.value
  from identity_verification_tokens t join identity_verifiable_addresses a on a.id = t.identity_verifiable_address_id
  where t.selfservice_verification_flow_id = $1 and t.nid = $2 and t.token = any ($3::text[])`,
)

/** Once: of several concurrent requests, the row lets one through. */
const USE_RECOVERY = sql(
  'recovery_token.use',
  `update identity_recovery_tokens set used = true, used_at = $3 where id = $1 and nid = $2 and not used returning id`,
)

const USE_VERIFICATION = sql(
  'verification_token.use',
  `update identity_verification_tokens set used = true, used_at = $3 where id = $1 and nid = $2 and not used
  returning id`,
)

/** Issued by an operator, or by the flow itself. */
export const TOKEN_TYPE = { admin: 1, selfService: 2 } as const

interface NewToken {
  id: string
  hash: string
  expiresAt: Timestamp
  now: Timestamp
  flowId: string
}

export interface NewRecoveryToken extends NewToken {
  /** undefined if an operator issued it */
  addressId: string | undefined
  type: (typeof TOKEN_TYPE)[keyof typeof TOKEN_TYPE]
  identityId: string
}

export interface LinkRow {
  id: string
  used: boolean
  expires_at: Timestamp
  identity_id: string
  /** the address that it was sent to; null if an operator issued it */
  via: string | null
  value: string | null
}

export type LinkStore = ReturnType<typeof createRecoveryLinkStore>
export type VerificationLinkStore = ReturnType<typeof createVerificationLinkStore>

const rows = (db: Db, nid: string, find: Sql, use: Sql) => ({
  /** @param hashes of the token under each secret */
  async find(flowId: string, hashes: readonly string[]): Promise<LinkRow | undefined> {
    const [row] = await db.query<LinkRow & Record<string, unknown>>(find, [flowId, nid, hashes])
    return row
  },
  /** @returns whether this call used it */
  async use(id: string, now: Timestamp, on: Queryable = db): Promise<boolean> {
    return (await on.query(use, [id, nid, now])).length > 0
  },
})

export function createRecoveryLinkStore(db: Db, nid: string) {
  return {
    ...rows(db, nid, FIND_RECOVERY, USE_RECOVERY),
    async insert(t: NewRecoveryToken, tx: Queryable): Promise<void> {
      await tx.query(HOLD_IDENTITY, [t.identityId, nid])
      const ids = { flow: t.flowId, identity: t.identityId, address: t.addressId ?? null }
      await tx.query(INSERT_RECOVERY, { ...t, ...ids, nid, expires_at: t.expiresAt })
    },
  }
}

export function createVerificationLinkStore(db: Db, nid: string) {
  return {
    ...rows(db, nid, FIND_VERIFICATION, USE_VERIFICATION),
    async insert(t: NewToken & { addressId: string }, tx: Queryable): Promise<void> {
      await tx.query(HOLD_OWNER, [t.addressId, nid])
      await tx.query(INSERT_VERIFICATION, { ...t, nid, expires_at: t.expiresAt, flow: t.flowId, address: t.addressId })
    },
  }
}
