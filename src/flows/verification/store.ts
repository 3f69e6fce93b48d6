import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'
import { KINDS } from '../kinds.ts'
import { flowRows } from '../store.ts'
import type { VerificationFlow } from './types.ts'

const { table } = KINDS.verification

const INSERT = sql(
  'verification_flow.insert',
  `insert into ${table} (id, nid, type, request_url, issued_at, expires_at, created_at, updated_at, csrf_token, ui, state,
    active_method, session_id, identity_id, authentication_methods, oauth2_login_challenge)
  values (:id, :nid, :type, :request_url, :issued_at, :expires_at, :issued_at, :issued_at, :csrf_token, :ui, :state,
    :active_method, :session_id, :identity_id, :authentication_methods, :login_challenge)`,
)

const COLUMNS = `id, type, request_url, issued_at, expires_at, csrf_token, '' as identity_schema, ui, state,
  coalesce(active_method, '') as active_method, '{}'::jsonb as context, oauth2_login_challenge as login_challenge, session_id`

const SAVE = sql(
  'verification_flow.save_screen',
  `update ${table} set ui = $3, state = $4, active_method = $5, csrf_token = $6 where id = $1 and nid = $2`,
)

/** Stops counting far beyond any limit. */
const COUNT = sql(
  'verification_flow.count_submission',
  `update ${table} set submit_count = least(submit_count, 10000) + 1 where id = $1 and nid = $2
  returning submit_count as count`,
)

const UNCOUNT = sql(
  'verification_flow.uncount_submission',
  `update ${table} set submit_count = submit_count - 1 where id = $1 and nid = $2`,
)

const BIND = sql(
  'verification_flow.bind',
  `update ${table} set csrf_token = $3::text, ui = jsonb_set(ui, '{nodes}', (
    select jsonb_agg(case when node #>> '{attributes,name}' = 'csrf_token'
      then jsonb_set(node, '{attributes,value}', to_jsonb($3::text)) else node end order by place)
    from jsonb_array_elements(ui -> 'nodes') with ordinality as n (node, place)))
  where id = any ($1::uuid[]) and nid = $2`,
)

/** The owner of the address if the flow began unasked, and how they signed in: Kratos reads them on a shared table. */
export interface FlowOwner {
  identityId: string
  methods: unknown
}

export type VerificationStore = ReturnType<typeof createVerificationStore>

export function createVerificationStore(db: Db, nid: string) {
  return {
    ...flowRows<VerificationFlow>(db, nid, 'verification', COLUMNS),
    async insert(f: VerificationFlow, on: Queryable = db, owner?: FlowOwner): Promise<void> {
      await on.query(INSERT, {
        ...f,
        nid,
        ui: stringifyJson(f.ui),
        identity_id: owner?.identityId ?? null,
        authentication_methods: JSON.stringify(owner?.methods ?? null),
      })
    },
    /** Stores progress and form. Other submits of the flow wait until the transaction ends. */
    async saveScreen(f: VerificationFlow, on: Queryable = db): Promise<void> {
      await on.query(SAVE, [f.id, nid, stringifyJson(f.ui), f.state, f.active_method, f.csrf_token])
    },
    /** Binds them to the browser of this token. */
    async bind(ids: readonly string[], csrfToken: string): Promise<void> {
      await db.query(BIND, [ids, nid, csrfToken])
    },
    /** Counts a submitted code, on all nodes. @returns how many there were */
    async countSubmission(id: string): Promise<number> {
      const [row] = await db.query<{ count: number }>(COUNT, [id, nid])
      return row?.count ?? Number.POSITIVE_INFINITY
    },
    /** It was no guess. */
    async uncountSubmission(id: string): Promise<void> {
      await db.query(UNCOUNT, [id, nid])
    },
  }
}
