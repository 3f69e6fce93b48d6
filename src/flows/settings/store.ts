import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'
import { flowRows } from '../store.ts'
import type { SettingsFlow } from './types.ts'

const INSERT = sql(
  'settings_flow.insert',
  `insert into selfservice_settings_flows (id, nid, type, request_url, issued_at, expires_at, created_at, updated_at,
    identity_id, ui, internal_context, state)
  values ($1, $2, $3, $4, $5, $6, $5, $5, $7, $8, '{}', $9)`,
)

const READ = sql(
  'settings_flow.read',
  `select id, type, request_url, issued_at, expires_at, '' as csrf_token, '' as identity_schema, ui, identity_id, state
  from selfservice_settings_flows where id = $1 and nid = $2`,
)

const SAVE_UI = sql('settings_flow.save_ui', 'update selfservice_settings_flows set ui = $3 where id = $1 and nid = $2')

const COMPLETE = sql(
  'settings_flow.complete',
  `update selfservice_settings_flows set ui = $3, state = 'success', active_method = $4 where id = $1 and nid = $2`,
)

export type SettingsStore = ReturnType<typeof createSettingsStore>

export function createSettingsStore(db: Db, nid: string) {
  return {
    ...flowRows<SettingsFlow>(db, nid, { read: READ, saveUi: SAVE_UI }),
    async insert(f: SettingsFlow): Promise<void> {
      await db.query(INSERT, [
        ...[f.id, nid, f.type, f.request_url, f.issued_at, f.expires_at, f.identity_id, JSON.stringify(f.ui)],
        f.state,
      ])
    },
    async complete(f: SettingsFlow, method: string, on: Queryable): Promise<void> {
      await on.query(COMPLETE, [f.id, nid, JSON.stringify(f.ui), method])
    },
  }
}
