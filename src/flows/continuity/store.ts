import type { JsonObject } from '../../identities/types.ts'
import type { Timestamp } from '../../kernel/base/clock.ts'
import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'

const VALUES = `insert into continuity_containers (id, nid, name, identity_id, payload, expires_at, created_at, updated_at)
  values (:id, :nid, :name, :identity_id, :payload, :expires_at, :now, :now)`
const INSERT = sql('continuity.insert', VALUES)
const PUT = sql(
  'continuity.put',
  `${VALUES} on conflict (id) do update
    set payload = excluded.payload, expires_at = excluded.expires_at, updated_at = excluded.updated_at`,
)

/** Once: reading deletes it. */
const TAKE = sql(
  'continuity.take',
  `delete from continuity_containers where id = $1 and nid = $2 and name = $3 and identity_id = $4
  returning payload, expires_at`,
)

/** Work without an owner yet. Used ones are deleted. */
const LOOK = sql(
  'continuity.look',
  `select payload, expires_at from continuity_containers
  where id = $1 and nid = $2 and name = $3 and identity_id is null`,
)

const USE_UP = sql('continuity.use_up', 'delete from continuity_containers where id = $1 and nid = $2 returning id')

export interface NewContainer {
  id: string
  name: string
  /** null: of the browser that returns with the id */
  identityId: string | null
  payload: JsonObject
  expiresAt: Timestamp
  now: Timestamp
}

export type ContinuityStore = ReturnType<typeof createContinuityStore>

/** Kratos's table of pending work. */
export function createContinuityStore(db: Db, nid: string) {
  const valuesOf = (c: NewContainer) => {
    const payload = stringifyJson(c.payload)
    return { ...c, nid, identity_id: c.identityId, payload, expires_at: c.expiresAt }
  }
  return {
    async insert(c: NewContainer): Promise<void> {
      await db.query(INSERT, valuesOf(c))
    },
    /** Also over an older one of the same id. */
    async put(c: NewContainer): Promise<void> {
      await db.query(PUT, valuesOf(c))
    },
    async take(id: string, name: string, identityId: string) {
      const rows = await db.query<{ payload: unknown; expires_at: Timestamp }>(TAKE, [id, nid, name, identityId])
      return rows[0]
    },
    async look(id: string, name: string) {
      return (await db.query<{ payload: unknown; expires_at: Timestamp }>(LOOK, [id, nid, name]))[0]
    },
    /** @returns whether it was still there */
    async useUp(id: string, tx: Queryable): Promise<boolean> {
      return (await tx.query(USE_UP, [id, nid])).length > 0
    },
  }
}
