import type { Timestamp } from '../kernel/base/clock.ts'
import { type Db, NotLocked, type Queryable, sql } from '../kernel/db/client.ts'
import { SELECT_FULL } from './sql.ts'
import type { FullIdentity, TraitAddress } from './types.ts'

const BY_RECOVERY_ADDRESS = sql(
  'identity.by_recovery_address',
  `${SELECT_FULL} where i.nid = $2 and i.id = (
    select a.identity_id from identity_recovery_addresses a where a.nid = $2 and a.via = $3 and a.value = $1)`,
)

const BY_VERIFIABLE_ADDRESS = sql(
  'identity.by_verifiable_address',
  `${SELECT_FULL} where i.nid = $2 and i.id = (
    select a.identity_id from identity_verifiable_addresses a where a.nid = $2 and a.via = $3 and a.value = $1)`,
)

/** Updates no row if the address has been removed meanwhile. */
const VERIFY = sql(
  'identity.verify_address',
  `with identity as (
    select id from identities where id = $1 and nid = $2 for no key update skip locked
  ), address as (
    update identity_verifiable_addresses a set verified = true, verified_at = $5, status = 'completed'
    from identity where a.identity_id = identity.id and a.nid = $2 and a.via = $3 and a.value = $4
  )
  select id from identity`,
)

const NOTE_SENT = sql(
  'identity.note_address_sent',
  `update identity_verifiable_addresses set status = 'sent' where id = $1 and nid = $2`,
)

export type AddressStore = ReturnType<typeof createAddressStore>

/** Addresses of identities, by their stored form. */
export function createAddressStore(db: Db, nid: string) {
  const owner = async (statement: typeof BY_RECOVERY_ADDRESS, { via, value }: TraitAddress) => {
    const [identity] = await db.query<FullIdentity>(statement, [value, nid, via])
    return identity
  }
  return {
    byRecoveryAddress: (address: TraitAddress) => owner(BY_RECOVERY_ADDRESS, address),
    byVerifiableAddress: (address: TraitAddress) => owner(BY_VERIFIABLE_ADDRESS, address),
    async noteSent(id: string, tx: Queryable): Promise<void> {
      await tx.query(NOTE_SENT, [id, nid])
    },
    /** Locks the identity against other writers until the transaction ends. @throws NotLocked */
    async verify(identityId: string, { via, value }: TraitAddress, now: Timestamp, tx: Queryable): Promise<void> {
      const rows = await tx.query(VERIFY, [identityId, nid, via, value, now])
      if (rows.length === 0) throw new NotLocked(`${VERIFY.name}: the identity is held, or is not there`)
    },
  }
}
