/** What the stores need of the tables that Kratos made. A test holds it to the tables that our own migrations make. */

/** Types as Postgres names them, shortened. A longer text type is as good, no other is. */
const TYPES = {
  uuid: 'uuid',
  time: 'timestamp without time zone',
  json: 'jsonb',
  text: 'text',
  bool: 'boolean',
  int: 'integer',
  rawJson: 'json',
  bytes: 'bytea',
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
  ...{ state: text(255), identity_schema_id: text(128), oauth2_login_challenge_data: TYPES.text },
}

/** Columns of a flow that has neither methods of its own nor an identity schema. */
const MESSAGE_FLOW = {
  ...ROW,
  ...columns('issued_at expires_at', 'time'),
  ...{ request_url: TYPES.text, active_method: text(32), csrf_token: text(255), type: text(16) },
  ...{ ui: TYPES.json, submit_count: TYPES.int },
}

const SECRET = { ...ROW, ...columns('issued_at expires_at used_at', 'time') }
const TOKEN = { ...SECRET, token: text(64), used: TYPES.bool }
const SENT_CODE = { ...SECRET, code: text(64), address: text(255), address_type: text(36) }

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
  selfservice_recovery_flows: {
    ...MESSAGE_FLOW,
    ...{ recovered_identity_id: TYPES.uuid, state: text(32), skip_csrf_check: TYPES.bool },
  },
  selfservice_verification_flows: {
    ...MESSAGE_FLOW,
    ...columns('identity_id session_id', 'uuid'),
    ...{ state: text(255), oauth2_login_challenge: TYPES.text, authentication_methods: TYPES.rawJson },
  },
  identity_recovery_tokens: {
    ...TOKEN,
    ...columns('identity_id identity_recovery_address_id selfservice_recovery_flow_id', 'uuid'),
    token_type: TYPES.int,
  },
  identity_recovery_codes: {
    ...SECRET,
    ...columns('identity_id identity_recovery_address_id selfservice_recovery_flow_id', 'uuid'),
    ...{ code: text(64), code_type: TYPES.int },
  },
  identity_verification_tokens: {
    ...TOKEN,
    ...columns('identity_verifiable_address_id selfservice_verification_flow_id', 'uuid'),
  },
  identity_verification_codes: {
    ...SECRET,
    ...columns('identity_verifiable_address_id selfservice_verification_flow_id', 'uuid'),
    code_hmac: text(64),
  },
  identity_login_codes: { ...SENT_CODE, ...columns('identity_id selfservice_login_flow_id', 'uuid') },
  identity_registration_codes: { ...SENT_CODE, selfservice_registration_flow_id: TYPES.uuid },
  courier_messages: {
    ...ROW,
    ...columns('type status send_count', 'int'),
    ...{ body: TYPES.text, subject: text(255), recipient: text(255), channel: text(32) },
    ...{ template_type: text(255), template_data: TYPES.bytes, request_headers: TYPES.json },
  },
  courier_message_dispatches: { ...ROW, message_id: TYPES.uuid, status: text(7), error: TYPES.rawJson },
  selfservice_errors: {
    ...ROW,
    ...{ errors: TYPES.json, seen_at: TYPES.time, was_seen: TYPES.bool, csrf_token: text(255) },
  },
}

/** What must be unique, columns in alphabetical order: nothing else keeps two simultaneous writers apart. */
export const NEEDED_UNIQUE: readonly (readonly [table: string, ...columns: string[]])[] = [
  ['sessions', 'token'],
  ['sessions', 'logout_token'],
  ['identity_credential_types', 'name'],
  ['identity_credential_identifiers', 'identifier', 'identity_credential_type_id', 'nid'],
  ['identity_verifiable_addresses', 'nid', 'value', 'via'],
  ['identity_recovery_addresses', 'nid', 'value', 'via'],
  ['identity_recovery_tokens', 'token'],
  ['identity_verification_tokens', 'token'],
]

/** Foreign keys that must cascade: nothing else deletes the sessions of a deleted identity. */
export const NEEDED_CASCADES: readonly (readonly [table: string, column: string, target: string])[] = [
  ['identity_credentials', 'identity_id', 'identities'],
  ['identity_credential_identifiers', 'identity_credential_id', 'identity_credentials'],
  ['identity_verifiable_addresses', 'identity_id', 'identities'],
  ['identity_recovery_addresses', 'identity_id', 'identities'],
  ['sessions', 'identity_id', 'identities'],
  ['session_devices', 'session_id', 'sessions'],
  ['selfservice_recovery_flows', 'recovered_identity_id', 'identities'],
  ['identity_recovery_tokens', 'identity_id', 'identities'],
  ['identity_recovery_codes', 'identity_id', 'identities'],
  ['identity_login_codes', 'identity_id', 'identities'],
  ['identity_verification_tokens', 'identity_verifiable_address_id', 'identity_verifiable_addresses'],
  ['identity_verification_codes', 'identity_verifiable_address_id', 'identity_verifiable_addresses'],
  ['courier_message_dispatches', 'message_id', 'courier_messages'],
]

const ALL = 'select, insert, update, delete'

/** Rights by table. */
export const NEEDED_RIGHTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(NEEDED_COLUMNS).map((table) => [table, ALL])),
  networks: 'select',
  identity_credential_types: 'select',
  schema_migration: 'select',
}
