import { stringifyJson } from '../kernel/base/exact-json.ts'
import { type Db, type Queryable, sql } from '../kernel/db/client.ts'
import { type FlowKind, KINDS } from './kinds.ts'
import type { Flow, Ui } from './types.ts'

const EXCHANGE = sql(
  'token_exchange.insert',
  `insert into session_token_exchanges (id, nid, flow_id, init_code, return_to_code, created_at, updated_at)
  values ($1, $2, $3, $4, $5, $6, $6)`,
)

/** The part of a flow store that is the same for every kind. @param columns as members of the flow */
export function flowRows<F extends Flow>(db: Db, nid: string, kind: FlowKind, columns: string) {
  const { table } = KINDS[kind]
  const read = sql(`${kind}_flow.read`, `select ${columns} from ${table} where id = $1 and nid = $2`)
  const saveUi = sql(`${kind}_flow.save_ui`, `update ${table} set ui = $3 where id = $1 and nid = $2`)
  return {
    async find(id: string): Promise<F | undefined> {
      const [row] = await db.query<F>(read, [id, nid])
      return row && { ...row, ui: readUi(row.ui) }
    },
    async saveUi(id: string, ui: Ui, on: Queryable = db): Promise<void> {
      await on.query(saveUi, [id, nid, stringifyJson(ui)])
    },
  }
}

/** The columns that only one kind has. */
interface OwnColumns<F> {
  /** written with a new flow: the member, by the name of the column */
  inserted?: Record<string, keyof F>
  /** read with it, as members of the flow */
  read?: string
}

/** Flows of people who are not signed in yet. */
export function entryFlowStore<F extends Flow>(
  db: Db,
  nid: string,
  kind: 'login' | 'registration',
  own: OwnColumns<F> = {},
) {
  const inserted = Object.entries(own.inserted ?? {})
  const insert = sql(
    `${kind}_flow.insert`,
    `insert into ${KINDS[kind].table} (id, nid, type, request_url, issued_at, expires_at, created_at, updated_at,
      active_method, csrf_token, ui, internal_context, state, identity_schema_id${inserted.map(([column]) => `, ${column}`).join('')})
    values ($1, $2, $3, $4, $5, $6, $5, $5, '', $7, $8, '{}', 'choose_method', $9${inserted.map((_, i) => `, $${i + 10}`).join('')})`,
  )
  const columns = `id, type, request_url, issued_at, expires_at, csrf_token,
    coalesce(identity_schema_id, '') as identity_schema, ui${own.read === undefined ? '' : `, ${own.read}`}`
  return {
    ...flowRows<F>(db, nid, kind, columns),
    async insert(f: F): Promise<void> {
      const shared = [f.id, nid, f.type, f.request_url, f.issued_at, f.expires_at, f.csrf_token, stringifyJson(f.ui)]
      await db.query(insert, [...shared, f.identity_schema, ...inserted.map(([, member]) => f[member])])
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
