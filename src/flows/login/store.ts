import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'
import { KINDS } from '../kinds.ts'
import { entryFlowStore } from '../store.ts'
import type { LoginFlow } from './types.ts'

const COMPLETE = sql(
  'login_flow.complete',
  `update ${KINDS.login.table} set active_method = $3 where id = $1 and nid = $2`,
)

export type LoginStore = ReturnType<typeof createLoginStore>

export function createLoginStore(db: Db, nid: string) {
  return {
    ...entryFlowStore<LoginFlow>(db, nid, 'login', {
      inserted: { forced: 'refresh', requested_aal: 'requested_aal' },
      read: 'created_at, updated_at, forced as refresh, requested_aal',
    }),
    /** Notes the method that a login succeeded with. */
    async complete(id: string, method: string, on: Queryable = db): Promise<void> {
      await on.query(COMPLETE, [id, nid, method])
    },
  }
}
