import { stringifyJson } from '../kernel/base/exact-json.ts'
import type { Db, Queryable, Sql } from '../kernel/db/client.ts'
import { sql } from '../kernel/db/client.ts'
import type { Flow, Ui } from './types.ts'

/** Columns that the flows of login and registration share, under the names of {@link Flow}. */
export const FLOW_COLUMNS = `id, type, request_url, issued_at, expires_at, csrf_token,
  coalesce(identity_schema_id, '') as identity_schema, ui`

const EXCHANGE = sql(
  'token_exchange.insert',
  `insert into session_token_exchanges (id, nid, flow_id, init_code, return_to_code, created_at, updated_at)
  values ($1, $2, $3, $4, $5, $6, $6)`,
)

/** The part of a flow store that is the same for every table. @param statements of that table, `$2` being the network */
export function flowRows<F extends Flow>(db: Db, nid: string, statements: { read: Sql; saveUi: Sql }) {
  return {
    async find(id: string): Promise<F | undefined> {
      const [row] = await db.query<F>(statements.read, [id, nid])
      return row && { ...row, ui: readUi(row.ui) }
    },
    async saveUi(id: string, ui: Ui, on: Queryable = db): Promise<void> {
      await on.query(statements.saveUi, [id, nid, stringifyJson(ui)])
    },
  }
}

/** Rows of others may leave out lists that are empty. */
function readUi(ui: Ui | null): Ui {
  const nodes = (ui?.nodes ?? []).map((node) => ({ ...node, messages: node.messages ?? [], meta: node.meta ?? {} }))
  const own = ui?.messages ?? []
  return { action: ui?.action ?? '', method: 'POST', nodes, ...(own.length === 0 ? {} : { messages: own }) }
}

export interface NewExchange {
  id: string
  flowId: string
  initCode: string
  returnToCode: string
  now: string
}

export type ExchangeStore = ReturnType<typeof createExchangeStore>

export function createExchangeStore(db: Db, nid: string) {
  return {
    async insert(row: NewExchange): Promise<void> {
      await db.query(EXCHANGE, [row.id, nid, row.flowId, row.initCode, row.returnToCode, row.now])
    },
  }
}
