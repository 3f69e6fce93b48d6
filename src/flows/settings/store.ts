import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { type Db, NotLocked, type Queryable, sql } from '../../kernel/db/client.ts'
import { KINDS } from '../kinds.ts'
import { flowRows } from '../store.ts'
import type { SettingsFlow } from './types.ts'

/** The row refers to its identity. It does not wait for a lock on it, as that would hold a connection. */
const INSERT = sql(
  'settings_flow.insert',
  `with identity as (
    select id from identities where id = :identity_id and nid = :nid for key share skip locked
  )
  insert into ${KINDS.settings.table} (id, nid, type, request_url, issued_at, expires_at, created_at, updated_at,
    identity_id, ui, internal_context, state)
  select :id::uuid, :nid::uuid, :type::text, :request_url::text, :issued_at::timestamp, :expires_at::timestamp, :issued_at, :issued_at, identity.id, :ui::jsonb, :context::jsonb,
    :state::text
  from identity
  returning id`,
)

const COLUMNS = `id, type, request_url, issued_at, expires_at, '' as csrf_token, '' as identity_schema, ui, identity_id, state,
  case when state = 'success' then coalesce(active_method, '') else '' end as active_method, internal_context as context`

const LOCK = sql('settings_flow.lock', `select id from ${KINDS.settings.table} where id = $1 and nid = $2 for update`)

const COMPLETE = sql(
  'settings_flow.complete',
  `update ${KINDS.settings.table} set ui = $3, state = 'success', active_method = $4, internal_context = $5 where id = $1 and nid = $2`,
)

export type SettingsStore = ReturnType<typeof createSettingsStore>

export function createSettingsStore(db: Db, nid: string) {
  return {
    ...flowRows<SettingsFlow>(db, nid, 'settings', COLUMNS),
    async insert(f: SettingsFlow, on: Queryable = db): Promise<void> {
      const rows = await on.query(INSERT, { ...f, nid, ui: stringifyJson(f.ui), context: stringifyJson(f.context) })
      if (rows.length === 0) throw new NotLocked(`${INSERT.name}: the identity is held, or is not there`)
    },
    /** Other submits of the flow wait until the transaction ends. */
    async lock(id: string, tx: Queryable): Promise<void> {
      await tx.query(LOCK, [id, nid])
    },
    async complete(f: SettingsFlow, method: string, on: Queryable): Promise<void> {
      await on.query(COMPLETE, [f.id, nid, stringifyJson(f.ui), method, stringifyJson(f.context)])
    },
  }
}
