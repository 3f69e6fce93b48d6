import { isObject } from '../identities/types.ts'
import { stringifyJson } from '../kernel/base/exact-json.ts'
import { type Db, type Queryable, sql } from '../kernel/db/client.ts'
import { type FlowKind, KINDS } from './kinds.ts'
import { readUi } from './stored-ui.ts'
import type { Flow, FlowProgress } from './types.ts'
import { requestedLoginChallenge } from './urls.ts'

const EXCHANGE = sql(
  'token_exchange.insert',
  `insert into session_token_exchanges (id, nid, flow_id, init_code, return_to_code, created_at, updated_at)
  values ($1, $2, $3, $4, $5, $6, $6)`,
)

const INIT_CODE = sql(
  'token_exchange.init_code',
  'select init_code from session_token_exchanges where flow_id = $1 and nid = $2',
)

/** Once: a second sign-in of the same flow does not replace the session of the first. */
const BIND = sql(
  'token_exchange.bind',
  `update session_token_exchanges set session_id = $3, updated_at = $4
  where flow_id = $1 and nid = $2 and session_id is null returning return_to_code`,
)

const MOVE = sql(
  'token_exchange.move',
  'update session_token_exchanges set flow_id = $3 where flow_id = $1 and nid = $2',
)

/** Codes for which a sign-in completed recently. */
const SIGNED_IN = sql(
  'token_exchange.signed_in',
  `select id, session_id from session_token_exchanges
  where init_code = $1 and return_to_code = $2 and nid = $3 and session_id is not null and updated_at > $4`,
)

const USE_UP = sql(
  'token_exchange.use_up',
  'delete from session_token_exchanges where id = $1 and nid = $2 returning id',
)

/** The part of a flow store that all kinds share. @param columns as members of the flow */
export function flowRows<F extends Flow>(db: Db, nid: string, kind: FlowKind, columns: string) {
  const { table } = KINDS[kind]
  const read = sql(`${kind}_flow.read`, `select ${columns} from ${table} where id = $1 and nid = $2`)
  const save = sql(
    `${kind}_flow.save`,
    // Of requests at once, one that lost writes what it read: a flow that was passed meanwhile stays so.
    `update ${table} set ui = $3, state = case when state = 'passed_challenge' then state else $4 end, active_method = $5,
      internal_context = $6 where id = $1 and nid = $2`,
  )
  return {
    async find(id: string): Promise<F | undefined> {
      const [row] = await db.query<F>(read, [id, nid])
      return row && { ...row, ui: readUi(row.ui), context: isObject(row.context) ? row.context : {} }
    },
    /** Stores progress and form. */
    async save(f: FlowProgress, on: Queryable = db): Promise<void> {
      await on.query(save, [f.id, nid, stringifyJson(f.ui), f.state, f.active_method, stringifyJson(f.context)])
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

/** Flows of callers without a session. */
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
      active_method, csrf_token, ui, internal_context, state, identity_schema_id, oauth2_login_challenge_data${inserted.map(([column]) => `, ${column}`).join('')})
    values (:id, :nid, :type, :request_url, :issued_at, :expires_at, :issued_at, :issued_at, :active_method, :csrf_token,
      :ui, :context, :state, :identity_schema, :challenge${inserted.map(([, member]) => `, :${String(member)}`).join('')})`,
  )
  const columns = `id, type, request_url, issued_at, expires_at, csrf_token,
    coalesce(identity_schema_id, '') as identity_schema, ui, coalesce(state, 'choose_method') as state, active_method,
    internal_context as context${own.read === undefined ? '' : `, ${own.read}`}`
  return {
    ...flowRows<F>(db, nid, kind, columns),
    async insert(f: F, on: Queryable = db): Promise<void> {
      // Lethe reads it from the URL; Kratos reads the column where it shares the table.
      const challenge = requestedLoginChallenge(f.request_url) ?? null
      await on.query(insert, {
        ...(f as Flow),
        nid,
        ui: stringifyJson(f.ui),
        context: stringifyJson(f.context),
        challenge,
      })
    },
  }
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
    /** The code with which an app gets the session of a flow, if it asked for one. */
    async initCodeOf(flowId: string): Promise<string | undefined> {
      return (await db.query<{ init_code: string }>(INIT_CODE, [flowId, nid]))[0]?.init_code
    },
    /** @returns the second code that the app needs; undefined if no app waits */
    async bind(flowId: string, sessionId: string, now: string): Promise<string | undefined> {
      const values = [flowId, nid, sessionId, now]
      return (await db.query<{ return_to_code: string }>(BIND, values))[0]?.return_to_code
    },
    /** @param since codes of earlier sign-ins are void */
    async signedIn(initCode: string, returnToCode: string, since: string) {
      const values = [initCode, returnToCode, nid, since]
      return (await db.query<{ id: string; session_id: string }>(SIGNED_IN, values))[0]
    },
    /** @returns whether they were still there */
    async useUp(id: string, tx: Queryable): Promise<boolean> {
      return (await tx.query(USE_UP, [id, nid])).length > 0
    },
    /** The app now waits for another flow. */
    async move(flowId: string, to: string): Promise<void> {
      await db.query(MOVE, [flowId, nid, to])
    },
  }
}
