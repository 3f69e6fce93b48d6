/** What the stores need of the tables that Kratos made. A test holds it to the tables that our own migrations make. */

/** Types as Postgres names them, shortened. A longer text is as good, nothing else is. */
const TYPES = {
  uuid: 'uuid',
  time: 'timestamp without time zone',
  json: 'jsonb',
  text: 'text',
  bool: 'boolean',
  int: 'integer',
} as const

const text = (length: number) => `character varying(${length})`
const columns = (names: string, type: keyof typeof TYPES) =>
  Object.fromEntries(names.split(' ').map((name) => [name, TYPES[type]]))

const ROW = { ...columns('id nid', 'uuid'), ...columns('created_at updated_at', 'time') }

const FLOW = {
  ...ROW,
  ...columns('issued_at expires_at', 'time'),
  ...columns('ui internal_context', 'json'),
  ...{ request_url: TYPES.text, active_method: text(32), csrf_token: text(255), type: text(16) },
  ...{ state: text(255), identity_schema_id: text(128) },
}

const ADDRESS = { ...ROW, identity_id: TYPES.uuid, via: text(16), value: text(400) }

/** By table: each column and the type it must have. */
export const NEEDED_COLUMNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  networks: { ...columns('id', 'uuid'), ...columns('created_at updated_at', 'time') },
  identities: {
    ...ROW,
    ...columns('traits metadata_public metadata_admin', 'json'),
    ...{ schema_id: text(2048), state: text(255), state_changed_at: TYPES.time, available_aal: text(4) },
    ...{ organization_id: TYPES.uuid, external_id: text(64) },
  },
  identity_credential_types: { id: TYPES.uuid, name: text(32) },
  identity_credentials: {
    ...ROW,
    ...columns('identity_credential_type_id identity_id', 'uuid'),
    ...{ config: TYPES.json, version: TYPES.int },
  },
  identity_credential_identifiers: {
    ...ROW,
    ...columns('identity_credential_id identity_credential_type_id identity_id', 'uuid'),
    identifier: text(255),
  },
  identity_verifiable_addresses: { ...ADDRESS, status: text(16), verified: TYPES.bool, verified_at: TYPES.time },
  identity_recovery_addresses: ADDRESS,
  sessions: {
    ...ROW,
    ...columns('issued_at expires_at authenticated_at', 'time'),
    ...{ identity_id: TYPES.uuid, token: text(39), logout_token: text(39), active: TYPES.bool, aal: text(4) },
    authentication_methods: TYPES.json,
  },
  session_devices: {
    ...ROW,
    ...columns('session_id identity_id', 'uuid'),
    ...{ ip_address: text(50), user_agent: text(512), location: text(512) },
  },
  session_token_exchanges: {
    ...ROW,
    ...columns('flow_id session_id', 'uuid'),
    ...{ init_code: text(64), return_to_code: text(64) },
  },
  selfservice_login_flows: { ...FLOW, forced: TYPES.bool, requested_aal: text(4) },
  selfservice_registration_flows: FLOW,
  selfservice_settings_flows: {
    ...ROW,
    ...columns('issued_at expires_at', 'time'),
    ...columns('ui internal_context', 'json'),
    ...{ identity_id: TYPES.uuid, request_url: TYPES.text, active_method: text(32), type: text(16), state: text(255) },
  },
  selfservice_errors: {
    ...ROW,
    ...{ errors: TYPES.json, seen_at: TYPES.time, was_seen: TYPES.bool, csrf_token: text(255) },
  },
}

/** What must be unique, columns in alphabetical order: two writers at the same moment are told apart by nothing else. */
export const NEEDED_UNIQUE: readonly (readonly [table: string, ...columns: string[]])[] = [
  ['sessions', 'token'],
  ['sessions', 'logout_token'],
  ['identity_credential_types', 'name'],
  ['identity_credential_identifiers', 'identifier', 'identity_credential_type_id', 'nid'],
  ['identity_verifiable_addresses', 'nid', 'value', 'via'],
  ['identity_recovery_addresses', 'nid', 'value', 'via'],
]

/** What must go together with the row it points to: nothing else takes the sessions of a deleted identity away. */
export const NEEDED_CASCADES: readonly (readonly [table: string, column: string, target: string])[] = [
  ['identity_credentials', 'identity_id', 'identities'],
  ['identity_credential_identifiers', 'identity_credential_id', 'identity_credentials'],
  ['identity_verifiable_addresses', 'identity_id', 'identities'],
  ['identity_recovery_addresses', 'identity_id', 'identities'],
  ['sessions', 'identity_id', 'identities'],
  ['session_devices', 'session_id', 'sessions'],
]

const ALL = 'select, insert, update, delete'

/** Rights by table. */
export const NEEDED_RIGHTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(NEEDED_COLUMNS).map((table) => [table, ALL])),
  networks: 'select',
  identity_credential_types: 'select',
  schema_migration: 'select',
}
