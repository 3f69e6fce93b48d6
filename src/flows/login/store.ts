import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'
import { FLOW_COLUMNS, flowRows } from '../store.ts'
import type { LoginFlow } from './types.ts'

const INSERT = sql(
  'login_flow.insert',
  `insert into selfservice_login_flows (id, nid, type, request_url, issued_at, expires_at, created_at, updated_at,
    active_method, csrf_token, ui, internal_context, state, identity_schema_id, forced, requested_aal)
  values ($1, $2, $3, $4, $5, $6, $5, $5, '', $7, $8, '{}', 'choose_method', $9, $10, $11)`,
)

const READ = sql(
  'login_flow.read',
  `select ${FLOW_COLUMNS}, active_method, created_at, updated_at, forced as refresh, requested_aal
  from selfservice_login_flows where id = $1 and nid = $2`,
)

const SAVE_UI = sql('login_flow.save_ui', 'update selfservice_login_flows set ui = $3 where id = $1 and nid = $2')

const COMPLETE = sql(
  'login_flow.complete',
  'update selfservice_login_flows set active_method = $3 where id = $1 and nid = $2',
)

export type LoginStore = ReturnType<typeof createLoginStore>

export function createLoginStore(db: Db, nid: string) {
  return {
    ...flowRows<LoginFlow>(db, nid, { read: READ, saveUi: SAVE_UI }),
    async insert(f: LoginFlow): Promise<void> {
      await db.query(INSERT, [
        ...[f.id, nid, f.type, f.request_url, f.issued_at, f.expires_at, f.csrf_token, stringifyJson(f.ui)],
        ...[f.identity_schema, f.refresh, f.requested_aal],
      ])
    },
    /** Notes the method that a login succeeded with. */
    async complete(id: string, method: string, on: Queryable = db): Promise<void> {
      await on.query(COMPLETE, [id, nid, method])
    },
  }
}
