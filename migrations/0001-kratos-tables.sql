--! owned
-- The tables that a database of Ory Kratos v26.2.0 also has, for a database that Lethe makes itself. Column types and the
-- names of constraints are the same on purpose: the stores run one SQL text on both kinds of database and recognise a
-- conflict by its constraint. Two things differ, both at the table "sessions"; the reason stands there.

create table networks (
  id uuid primary key,
  created_at timestamp not null,
  updated_at timestamp not null
);

create table identities (
  id uuid primary key,
  schema_id varchar(2048) not null,
  traits jsonb not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  nid uuid constraint identities_nid_fk_idx references networks (id) on delete cascade on update restrict,
  state varchar(255) not null default 'active',
  state_changed_at timestamp,
  metadata_public jsonb,
  metadata_admin jsonb,
  available_aal varchar(4),
  organization_id uuid,
  external_id varchar(64) constraint identities_external_id_check check (external_id is null or external_id <> '')
);
create unique index identities_nid_external_id_idx on identities (nid, external_id) where external_id is not null;
create index identities_nid_id_idx on identities (nid, id);
create index identities_nid_organization_id_idx on identities (organization_id);

create table identity_credential_types (
  id uuid primary key,
  name varchar(32) not null
);
create unique index identity_credential_types_name_idx on identity_credential_types (name);
insert into identity_credential_types (id, name) values
  ('78c1b41d-8341-4507-aa60-aff1d4369670', 'password'),
  ('6fa5e2e0-bfce-4631-b62b-cf2b0252b289', 'oidc'),
  ('5e29b036-aa47-457f-9fe6-aa8b854a752b', 'totp'),
  ('567a0730-7f48-4dd7-a13d-df87a51c245f', 'lookup_secret'),
  ('6b213fa0-e6ad-46cb-8878-b088d2ce2e3c', 'webauthn'),
  ('14f3b7e2-8725-4068-be39-8a796485fd97', 'code'),
  ('8d0ca544-9bf6-45d3-bd75-0bbb3aeba3c7', 'passkey'),
  ('7bddcf6c-f50e-4a18-9b0f-429114c33419', 'saml');

create table identity_credentials (
  id uuid primary key,
  config jsonb not null,
  identity_credential_type_id uuid not null
    constraint identity_credentials_identity_credential_type_id_fkey
    references identity_credential_types (id) on delete cascade,
  identity_id uuid not null
    constraint identity_credentials_identity_id_fkey references identities (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  nid uuid constraint identity_credentials_nid_fk_idx references networks (id) on delete cascade on update restrict,
  version integer not null default 0
);
create index identity_credentials_identity_id_idx on identity_credentials (identity_id);

create table identity_credential_identifiers (
  id uuid primary key,
  identifier varchar(255) not null,
  identity_credential_id uuid not null
    constraint identity_credential_identifiers_identity_credential_id_fkey
    references identity_credentials (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  nid uuid
    constraint identity_credential_identifiers_nid_fk_idx
    references networks (id) on delete cascade on update restrict,
  identity_credential_type_id uuid not null
    constraint identity_credential_identifiers_type_id_fk_idx
    references identity_credential_types (id) on delete cascade on update restrict,
  identity_id uuid not null
    constraint identity_credential_identifiers_identities_id_fk
    references identities (id) on delete cascade on update restrict
);
create index identity_credential_identifiers_ici_nid_i_idx
  on identity_credential_identifiers (identity_credential_id, nid, identifier);
create unique index identity_credential_identifiers_identifier_nid_type_uq_idx
  on identity_credential_identifiers (nid, identity_credential_type_id, identifier);
create index identity_credential_identifiers_identities_id_fk_idx on identity_credential_identifiers (identity_id);
create index identity_credential_identifiers_nid_i_ici_idx
  on identity_credential_identifiers (nid, identifier, identity_credential_id);

create table identity_verifiable_addresses (
  id uuid primary key,
  status varchar(16) not null,
  via varchar(16) not null,
  verified boolean not null,
  value varchar(400) not null,
  verified_at timestamp,
  identity_id uuid not null
    constraint identity_verifiable_addresses_identity_id_fkey references identities (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  nid uuid
    constraint identity_verifiable_addresses_nid_fk_idx
    references networks (id) on delete cascade on update restrict
);
create index identity_verifiable_addresses_identity_id_idx on identity_verifiable_addresses (identity_id);
create unique index identity_verifiable_addresses_status_via_uq_idx on identity_verifiable_addresses (nid, via, value);

create table identity_recovery_addresses (
  id uuid primary key,
  via varchar(16) not null,
  value varchar(400) not null,
  identity_id uuid not null
    constraint identity_recovery_addresses_identity_id_fkey references identities (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  nid uuid
    constraint identity_recovery_addresses_nid_fk_idx
    references networks (id) on delete cascade on update restrict
);
create index identity_recovery_addresses_identity_id_idx on identity_recovery_addresses (identity_id);
create unique index identity_recovery_addresses_status_via_uq_idx on identity_recovery_addresses (nid, via, value);

-- Ending a session changes "active" and nothing else. As long as no index names that column and the page has room, Postgres
-- rewrites the row in place (a heap-only tuple) and touches none of the six indexes. So the list of live sessions is
-- indexed without "active" (few rows that have not expired are inactive; they are filtered after the index), and pages
-- are filled to 85 % only.
-- "token" holds a digest of the token or the token itself, as lethe.meta says. "logout_token" is derived when needed; the
-- column holds a placeholder that is unique and no secret: lo_ and the session id without dashes.
create table sessions (
  id uuid primary key,
  issued_at timestamp not null default current_timestamp,
  expires_at timestamp not null,
  authenticated_at timestamp not null,
  identity_id uuid not null constraint sessions_identity_id_fkey references identities (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  token varchar(39),
  active boolean default false,
  nid uuid constraint sessions_nid_fk_idx references networks (id) on delete cascade on update restrict,
  logout_token varchar(39),
  aal varchar(4) not null default 'aal1',
  authentication_methods jsonb not null
) with (fillfactor = 85);
create index sessions_list_unexpired_idx on sessions (nid, expires_at, created_at desc, id);
create index sessions_list_identity_idx on sessions (identity_id, nid, created_at desc);
create index sessions_list_idx on sessions (nid, created_at desc, id);
create unique index sessions_logout_token_uq_idx on sessions (logout_token);
create unique index sessions_token_uq_idx on sessions (token);

create table session_devices (
  id uuid primary key,
  ip_address varchar(50) default '',
  user_agent varchar(512) default '',
  location varchar(512) default '',
  nid uuid not null constraint session_metadata_nid_fk references networks (id) on delete cascade,
  session_id uuid not null constraint session_metadata_sessions_id_fk references sessions (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  identity_id uuid not null
    constraint session_devices_identities_id_fk references identities (id) on delete cascade on update restrict,
  constraint unique_session_device unique (nid, session_id, ip_address, user_agent)
);
create index session_devices_identities_id_fk_idx on session_devices (identity_id);
create index session_devices_nid_idx on session_devices (nid);
create index session_devices_session_id_idx on session_devices (session_id);

create table session_token_exchanges (
  id uuid primary key,
  nid uuid not null constraint session_token_exchanges_nid_fk references networks (id) on delete cascade,
  flow_id uuid not null,
  session_id uuid,
  init_code varchar(64) not null,
  return_to_code varchar(64) not null,
  created_at timestamp not null,
  updated_at timestamp not null
);
create index session_token_exchanges_flow_id_nid_init_code_idx on session_token_exchanges (flow_id, nid, init_code);
create index session_token_exchanges_nid_init_code_idx on session_token_exchanges (nid, init_code);

create table selfservice_login_flows (
  id uuid constraint selfservice_login_requests_pkey primary key,
  request_url text not null,
  issued_at timestamp not null default current_timestamp,
  expires_at timestamp not null,
  active_method varchar(32) not null,
  csrf_token varchar(255) not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  forced boolean not null default false,
  type varchar(16) not null default 'browser',
  ui jsonb,
  nid uuid
    constraint selfservice_login_flows_nid_fk_idx references networks (id) on delete cascade on update restrict,
  requested_aal varchar(4) not null default 'aal1',
  internal_context jsonb not null,
  oauth2_login_challenge uuid,
  oauth2_login_challenge_data text,
  state varchar(255),
  submit_count integer not null default 0,
  organization_id uuid,
  identity_schema_id varchar(128)
);
create index selfservice_login_flows_nid_idx on selfservice_login_flows (nid);

create table selfservice_registration_flows (
  id uuid constraint selfservice_registration_requests_pkey primary key,
  request_url text not null,
  issued_at timestamp not null default current_timestamp,
  expires_at timestamp not null,
  active_method varchar(32) not null,
  csrf_token varchar(255) not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  type varchar(16) not null default 'browser',
  ui jsonb,
  nid uuid
    constraint selfservice_registration_flows_nid_fk_idx
    references networks (id) on delete cascade on update restrict,
  internal_context jsonb not null,
  oauth2_login_challenge uuid,
  oauth2_login_challenge_data text,
  state varchar(255),
  submit_count integer not null default 0,
  organization_id uuid,
  identity_schema_id varchar(128)
);
create index selfservice_registration_flows_nid_idx on selfservice_registration_flows (nid);

create table selfservice_settings_flows (
  id uuid constraint selfservice_profile_management_requests_pkey primary key,
  request_url text not null,
  issued_at timestamp not null default current_timestamp,
  expires_at timestamp not null,
  identity_id uuid not null
    constraint selfservice_profile_management_requests_identity_id_fkey
    references identities (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  active_method varchar(32),
  state varchar(255) not null default 'show_form',
  type varchar(16) not null default 'browser',
  ui jsonb,
  nid uuid
    constraint selfservice_settings_flows_nid_fk_idx references networks (id) on delete cascade on update restrict,
  internal_context jsonb not null
);
create index selfservice_settings_flows_identity_id_idx on selfservice_settings_flows (identity_id);
create index selfservice_settings_flows_nid_idx on selfservice_settings_flows (nid);

create table selfservice_errors (
  id uuid primary key,
  errors jsonb not null,
  seen_at timestamp,
  was_seen boolean not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  csrf_token varchar(255) not null default '',
  nid uuid constraint selfservice_errors_nid_fk_idx references networks (id) on delete cascade on update restrict
);
create index selfservice_errors_nid_idx on selfservice_errors (nid);

create table continuity_containers (
  id uuid primary key,
  identity_id uuid constraint continuity_containers_identity_id_fkey references identities (id) on delete cascade,
  name varchar(255) not null,
  payload jsonb,
  expires_at timestamp not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  nid uuid constraint continuity_containers_nid_fk_idx references networks (id) on delete cascade on update restrict
);
create index continuity_containers_identity_id_idx on continuity_containers (identity_id);
create index continuity_containers_nid_idx on continuity_containers (nid);
