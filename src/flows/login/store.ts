import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'
import { KINDS } from '../kinds.ts'
import { entryFlowStore } from '../store.ts'
import type { LoginFlow } from './types.ts'

/** A challenge that was answered is removed: it counts once. */
const COMPLETE = sql(
  'login_flow.complete',
  `update ${KINDS.login.table} set active_method = $3, internal_context = '{}'
  where id = $1 and nid = $2 and case jsonb_typeof(internal_context) when 'object' then internal_context else '{}' end = $4::jsonb returning id`,
)

export type LoginStore = ReturnType<typeof createLoginStore>

export function createLoginStore(db: Db, nid: string) {
  return {
    ...entryFlowStore<LoginFlow>(db, nid, 'login', {
      inserted: { forced: 'refresh', requested_aal: 'requested_aal' },
      read: 'created_at, updated_at, forced as refresh, requested_aal',
    }),
    /** Stores the method that a login succeeded with. @returns whether the flow still had the answered challenge */
    async complete({ id, context }: LoginFlow, method: string, on: Queryable = db): Promise<boolean> {
      return (await on.query(COMPLETE, [id, nid, method, stringifyJson(context)])).length > 0
    },
  }
}
