import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { type Db, sql } from '../../kernel/db/client.ts'
import { FLOW_COLUMNS, flowRows } from '../store.ts'
import type { RegistrationFlow } from './types.ts'

const INSERT = sql(
  'registration_flow.insert',
  `insert into selfservice_registration_flows (id, nid, type, request_url, issued_at, expires_at, created_at, updated_at,
    active_method, csrf_token, ui, internal_context, state, identity_schema_id)
  values ($1, $2, $3, $4, $5, $6, $5, $5, '', $7, $8, '{}', 'choose_method', $9)`,
)

const READ = sql(
  'registration_flow.read',
  `select ${FLOW_COLUMNS} from selfservice_registration_flows where id = $1 and nid = $2`,
)

const SAVE_UI = sql(
  'registration_flow.save_ui',
  'update selfservice_registration_flows set ui = $3 where id = $1 and nid = $2',
)

export type RegistrationStore = ReturnType<typeof createRegistrationStore>

export function createRegistrationStore(db: Db, nid: string) {
  return {
    ...flowRows<RegistrationFlow>(db, nid, { read: READ, saveUi: SAVE_UI }),
    async insert(f: RegistrationFlow): Promise<void> {
      await db.query(INSERT, [
        ...[f.id, nid, f.type, f.request_url, f.issued_at, f.expires_at, f.csrf_token, stringifyJson(f.ui)],
        f.identity_schema,
      ])
    },
  }
}
