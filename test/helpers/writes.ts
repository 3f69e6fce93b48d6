import { readFileSync } from 'node:fs'
import { type Queryable, sql } from '../../src/kernel/db/client.ts'

/** One row that a call wrote, in a form that can be compared: ids, times and secrets by their kind. */
export interface Write {
  op: 'insert' | 'update' | 'delete'
  table: string
  row?: unknown
  /** column → value before and after */
  changed?: Record<string, unknown>
}

/** What Kratos wrote at each call, as recorded. */
export const KRATOS_WRITES: Record<string, Write[]> = JSON.parse(
  readFileSync(new URL('../fixtures/kratos-writes.json', import.meta.url), 'utf8'),
)

type Rows = Map<string, { table: string; row: Record<string, unknown> }>

const TABLES = [
  ...[
    'networks',
    'identities',
    'identity_credentials',
    'identity_credential_identifiers',
    'sessions',
    'session_devices',
  ],
  ...['identity_verifiable_addresses', 'identity_recovery_addresses', 'session_token_exchanges', 'selfservice_errors'],
  ...[
    'selfservice_login_flows',
    'selfservice_registration_flows',
    'selfservice_settings_flows',
    'continuity_containers',
  ],
  ...['selfservice_recovery_flows', 'selfservice_verification_flows', 'courier_messages', 'courier_message_dispatches'],
  ...['identity_login_codes', 'identity_recovery_codes', 'identity_recovery_tokens', 'identity_registration_codes'],
  ...['identity_verification_codes', 'identity_verification_tokens', 'identity_credential_types'],
]
const SNAPSHOT = sql(
  'test.snapshot',
  TABLES.map((table) => `select '${table}' as table, t.id::text as id, to_jsonb(t) as row from ${table} t`).join(
    ' union all ',
  ),
)

async function snapshot(db: Queryable): Promise<Rows> {
  const rows = await db.query<{ table: string; id: string; row: Record<string, unknown> }>(SNAPSHOT)
  return new Map(rows.map(({ table, id, row }) => [`${table} ${id}`, { table, row }]))
}

/** What a call writes into the tables of Kratos. */
export async function writesOf(db: Queryable, call: () => Promise<unknown>): Promise<Write[]> {
  const before = await snapshot(db)
  await call()
  const after = await snapshot(db)
  const writes: Write[] = []
  for (const [key, { table, row }] of after) {
    const old = before.get(key)?.row
    if (old === undefined) {
      writes.push({ op: 'insert', table, row })
      continue
    }
    const changed = Object.fromEntries(
      Object.entries(row)
        .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(old[name]))
        .map(([name, value]) => [name, name === 'ui' ? 'changed' : [old[name], value]]),
    )
    if (Object.keys(changed).length > 0) writes.push({ op: 'update', table, changed })
  }
  for (const [key, { table }] of before) if (!after.has(key)) writes.push({ op: 'delete', table })
  return comparable(writes)
}

/** Rewriting a row without a change is not counted. */
export function comparable(writes: readonly Write[]): Write[] {
  return writes
    .filter(({ op, changed }) => op !== 'update' || Object.keys(changed ?? {}).length > 0)
    .map(({ op, table, row, changed }) => ({
      ...{ op, table },
      ...(row === undefined ? {} : { row: kinds(without(row)) }),
      ...(changed === undefined ? {} : { changed: kinds(changed) as Record<string, unknown> }),
    }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

/** The recording has no `ui`: its nodes are compared by the recorded answers. */
function without(row: unknown): unknown {
  const { ui: _ui, ...rest } = row as Record<string, unknown>
  return rest
}

/** Kratos notes the address that it was called by inside, Lethe the public one; both read only the query of it. */
const ORIGIN = /^(http:\/\/127\.0\.0\.1:\d+|https:\/\/auth\.example\.org)\//

const KINDS: [RegExp, string][] = [
  [/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, '<uuid>'],
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?$/, '<time of a column>'],
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/, '<time in JSON>'],
  [/^ory_st_[A-Za-z0-9]{32}$/, '<session token>'],
  [/^ory_lo_[A-Za-z0-9]{32}$/, '<logout token>'],
  [/^\$2a\$\d\d\$[A-Za-z0-9./]{53}$/, '<bcrypt>'],
  [/^[A-Za-z0-9+/]{86}==$/, '<masked token>'],
  [/^[A-Za-z0-9]{64}$/, '<code>'],
  [/^127\.0\.0\.1(:\d+)?$/, '<peer>'],
]

function kinds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(kinds)
  if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value).sort()
    return Object.fromEntries(names.map((name) => [name, kinds((value as Record<string, unknown>)[name])]))
  }
  if (typeof value !== 'string') return value
  const kind = KINDS.find(([pattern]) => pattern.test(value))
  return kind ? kind[1] : value.replace(ORIGIN, '<origin>/')
}
