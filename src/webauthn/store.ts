import { type Queryable, sql } from '../kernel/db/client.ts'

const NOTE = sql(
  'key_party.note',
  `insert into lethe.key_parties (identity_id, key_id, rp_id) values ($1, $2, $3)
  on conflict (identity_id, key_id) do update set rp_id = excluded.rp_id`,
)

const LIST = sql('key_party.list', 'select key_id, rp_id from lethe.key_parties where identity_id = $1')

const OWNERS = sql('key_party.owners', 'select identity_id from lethe.key_parties where key_id = $1 limit 10')

export type KeyPartyStore = ReturnType<typeof createKeyPartyStore>

/** The relying party (`rp.id`) that each key was made for, where that was here. */
export function createKeyPartyStore(db: Queryable) {
  return {
    async note(key: { identityId: string; id: Buffer; rpId: string }, tx: Queryable): Promise<void> {
      await tx.query(NOTE, [key.identityId, key.id.toString('base64url'), key.rpId])
    },
    /** Those who have had a key of this id, whether or not they still have it. */
    async ownersOf(id: Buffer): Promise<string[]> {
      const rows = await db.query<{ identity_id: string }>(OWNERS, [id.toString('base64url')])
      return rows.map(({ identity_id }) => identity_id)
    },
    /** @returns ids of relying parties, by id of the key in base64url */
    async of(identityId: string): Promise<ReadonlyMap<string, string>> {
      const rows = await db.query<{ key_id: string; rp_id: string }>(LIST, [identityId])
      return new Map(rows.map(({ key_id, rp_id }) => [key_id, rp_id]))
    },
  }
}
