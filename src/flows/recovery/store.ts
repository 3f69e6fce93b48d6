import { HOLD_IDENTITY_IF_FREE } from '../../identities/sql.ts'
import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { type Db, NotLocked, type Queryable, sql } from '../../kernel/db/client.ts'
import { KINDS } from '../kinds.ts'
import { flowRows } from '../store.ts'
import type { RecoveryFlow } from './types.ts'

const { table } = KINDS.recovery

const INSERT = sql(
  'recovery_flow.insert',
  `insert into ${table} (id, nid, type, request_url, issued_at, expires_at, created_at, updated_at, csrf_token, ui, state,
    active_method, skip_csrf_check)
  values (:id, :nid, :type, :request_url, :issued_at, :expires_at, :issued_at, :issued_at, :csrf_token, :ui, :state, :active_method, :skip_csrf_check)`,
)

const COLUMNS = `id, type, request_url, issued_at, expires_at, csrf_token, '' as identity_schema, ui, state, '{}'::jsonb as context,
  coalesce(active_method, '') as active_method, skip_csrf_check`

const SAVE = sql(
  'recovery_flow.save_screen',
  `update ${table} set ui = $3, state = $4, active_method = $5 where id = $1 and nid = $2`,
)

const FINISH = sql(
  'recovery_flow.finish',
  `update ${table} set ui = $3, state = 'passed_challenge', active_method = $4, csrf_token = $5,
    recovered_identity_id = $6 where id = $1 and nid = $2`,
)

/** Stops counting far beyond any limit. */
const COUNT = sql(
  'recovery_flow.count_submission',
  `update ${table} set submit_count = least(submit_count, 10000) + 1 where id = $1 and nid = $2
  returning submit_count as count`,
)

export type RecoveryStore = ReturnType<typeof createRecoveryStore>

export function createRecoveryStore(db: Db, nid: string) {
  return {
    ...flowRows<RecoveryFlow>(db, nid, 'recovery', COLUMNS),
    async insert(f: RecoveryFlow, on: Queryable = db): Promise<void> {
      await on.query(INSERT, { ...f, nid, ui: stringifyJson(f.ui) })
    },
    /** Stores progress and form. Other submits of the flow wait until the transaction ends. */
    async saveScreen(f: RecoveryFlow, on: Queryable = db): Promise<void> {
      await on.query(SAVE, [f.id, nid, stringifyJson(f.ui), f.state, f.active_method])
    },
    /** Counts a submitted code, on all nodes. @returns how many there were */
    async countSubmission(id: string): Promise<number> {
      const [row] = await db.query<{ count: number }>(COUNT, [id, nid])
      return row?.count ?? Number.POSITIVE_INFINITY
    },
    /** @throws NotLocked when the identity is being deleted */
    async finish(f: RecoveryFlow, identityId: string, tx: Queryable): Promise<void> {
      const held = await tx.query(HOLD_IDENTITY_IF_FREE, [identityId, nid])
      if (held.length === 0) throw new NotLocked(`${FINISH.name}: the identity is held, or is not there`)
      await tx.query(FINISH, [f.id, nid, stringifyJson(f.ui), f.active_method, f.csrf_token, identityId])
    },
  }
}
