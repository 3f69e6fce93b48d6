--! owned
-- The tables of recovery, verification, codes and messages, as a database of Ory Kratos v26.2.0 has them (see 0001).

create table courier_messages (
  id uuid primary key,
  type integer not null,
  status integer not null,
  body text not null,
  subject varchar(255) not null,
  recipient varchar(255) not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  template_type varchar(255) not null default '',
  template_data bytea,
  nid uuid
    constraint courier_messages_nid_fk_idx
    references networks (id) on delete cascade on update restrict,
  send_count integer not null default 0,
  channel varchar(32),
  request_headers jsonb
);
create index courier_messages_nid_id_created_at_idx on courier_messages (nid, id, created_at desc);
create index courier_messages_nid_recipient_created_at_id_idx
  on courier_messages (nid, recipient, created_at desc);
create index courier_messages_nid_status_created_at_id_idx on courier_messages (nid, status, created_at desc);
create index courier_messages_status_id_idx on courier_messages (status, id);

create table courier_message_dispatches (
  id uuid primary key,
  message_id uuid not null
    constraint courier_message_dispatches_message_id_fk
    references courier_messages (id) on delete cascade,
  status varchar(7) not null,
  error json,
  nid uuid not null
    constraint courier_message_dispatches_nid_fk
    references networks (id) on delete cascade,
  created_at timestamp not null default current_timestamp,
  updated_at timestamp not null default current_timestamp
);
create index courier_message_dispatches_message_id_idx
  on courier_message_dispatches (message_id, created_at desc);
create index courier_message_dispatches_nid_idx on courier_message_dispatches (nid);

create table selfservice_recovery_flows (
  id uuid constraint selfservice_recovery_requests_pkey primary key,
  request_url text not null,
  issued_at timestamp not null default current_timestamp,
  expires_at timestamp not null,
  active_method varchar(32),
  csrf_token varchar(255) not null,
  state varchar(32) not null,
  recovered_identity_id uuid
    constraint selfservice_recovery_requests_recovered_identity_id_fkey
    references identities (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  type varchar(16) not null default 'browser',
  ui jsonb,
  nid uuid
    constraint selfservice_recovery_flows_nid_fk_idx
    references networks (id) on delete cascade on update restrict,
  submit_count integer not null default 0,
  skip_csrf_check boolean not null default false
);
create index selfservice_recovery_flows_nid_idx on selfservice_recovery_flows (nid);
create index selfservice_recovery_flows_recovered_identity_id_idx
  on selfservice_recovery_flows (recovered_identity_id);

create table selfservice_verification_flows (
  id uuid constraint selfservice_verification_requests_pkey primary key,
  request_url text not null,
  issued_at timestamp not null default current_timestamp,
  expires_at timestamp not null,
  csrf_token varchar(255) not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  type varchar(16) not null default 'browser',
  state varchar(255) not null default 'show_form',
  active_method varchar(32),
  ui jsonb,
  nid uuid
    constraint selfservice_verification_flows_nid_fk_idx
    references networks (id) on delete cascade on update restrict,
  submit_count integer not null default 0,
  oauth2_login_challenge text,
  session_id uuid,
  identity_id uuid,
  authentication_methods json
);
create index selfservice_verification_flows_nid_idx on selfservice_verification_flows (nid);

create table identity_recovery_tokens (
  id uuid primary key,
  token varchar(64) not null,
  used boolean not null default false,
  used_at timestamp,
  identity_recovery_address_id uuid
    constraint identity_recovery_tokens_identity_recovery_address_id_fkey
    references identity_recovery_addresses (id) on delete cascade,
  selfservice_recovery_flow_id uuid
    constraint identity_recovery_tokens_selfservice_recovery_request_id_fkey
    references selfservice_recovery_flows (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  expires_at timestamp not null default '2000-01-01 00:00:00',
  issued_at timestamp not null default '2000-01-01 00:00:00',
  nid uuid
    constraint identity_recovery_tokens_nid_fk_idx
    references networks (id) on delete cascade on update restrict,
  identity_id uuid not null
    constraint identity_recovery_tokens_identity_id_fk_idx
    references identities (id) on delete cascade on update restrict,
  token_type integer not null default 0,
  constraint identity_recovery_tokens_token_type_ck check (token_type = 1 or token_type = 2)
);
create unique index identity_recovery_addresses_code_uq_idx on identity_recovery_tokens (token);
create index identity_recovery_tokens_identity_id_idx on identity_recovery_tokens (identity_id);
create index identity_recovery_tokens_identity_recovery_address_id_idx
  on identity_recovery_tokens (identity_recovery_address_id);
create index identity_recovery_tokens_nid_idx on identity_recovery_tokens (nid);
create index identity_recovery_tokens_selfservice_recovery_flow_id_idx
  on identity_recovery_tokens (selfservice_recovery_flow_id);

create table identity_recovery_codes (
  id uuid primary key,
  code varchar(64) not null,
  used_at timestamp,
  identity_recovery_address_id uuid
    constraint identity_recovery_codes_identity_recovery_addresses_id_fk
    references identity_recovery_addresses (id) on delete cascade,
  code_type integer not null,
  expires_at timestamp not null default '2000-01-01 00:00:00',
  issued_at timestamp not null default '2000-01-01 00:00:00',
  selfservice_recovery_flow_id uuid not null
    constraint identity_recovery_codes_selfservice_recovery_flows_id_fk
    references selfservice_recovery_flows (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  nid uuid not null
    constraint identity_recovery_codes_networks_id_fk
    references networks (id) on delete cascade on update restrict,
  identity_id uuid not null
    constraint identity_recovery_codes_identity_id_fk
    references identities (id) on delete cascade on update restrict
);
create index identity_recovery_codes_flow_id_idx on identity_recovery_codes (selfservice_recovery_flow_id);
create index identity_recovery_codes_identity_id_idx on identity_recovery_codes (identity_id);
create index identity_recovery_codes_identity_recovery_address_id_idx
  on identity_recovery_codes (identity_recovery_address_id);
create index identity_recovery_codes_nid_idx on identity_recovery_codes (nid);

create table identity_verification_tokens (
  id uuid primary key,
  token varchar(64) not null,
  used boolean not null default false,
  used_at timestamp,
  expires_at timestamp not null,
  issued_at timestamp not null,
  identity_verifiable_address_id uuid not null
    constraint identity_verification_tokens_identity_verifiable_address_i_fkey
    references identity_verifiable_addresses (id) on delete cascade,
  selfservice_verification_flow_id uuid not null
    constraint identity_verification_tokens_selfservice_verification_flow_fkey
    references selfservice_verification_flows (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  nid uuid
    constraint identity_verification_tokens_nid_fk_idx
    references networks (id) on delete cascade on update restrict
);
create index identity_verification_tokens_nid_idx on identity_verification_tokens (nid);
create unique index identity_verification_tokens_token_uq_idx on identity_verification_tokens (token);
create index identity_verification_tokens_verifiable_address_id_idx
  on identity_verification_tokens (identity_verifiable_address_id);
create index identity_verification_tokens_verification_flow_id_idx
  on identity_verification_tokens (selfservice_verification_flow_id);

create table identity_verification_codes (
  id uuid primary key,
  code_hmac varchar(64) not null,
  used_at timestamp,
  identity_verifiable_address_id uuid
    constraint identity_verification_codes_identity_verifiable_addresses_id_fk
    references identity_verifiable_addresses (id) on delete cascade,
  expires_at timestamp not null default '2000-01-01 00:00:00',
  issued_at timestamp not null default '2000-01-01 00:00:00',
  selfservice_verification_flow_id uuid not null
    constraint identity_verification_codes_selfservice_verification_flows_id_f
    references selfservice_verification_flows (id) on delete cascade,
  created_at timestamp not null,
  updated_at timestamp not null,
  nid uuid not null
    constraint identity_verification_codes_networks_id_fk
    references networks (id) on delete cascade on update restrict
);
create index identity_verification_codes_flow_id_idx
  on identity_verification_codes (selfservice_verification_flow_id);
create index identity_verification_codes_identity_verifiable_address_id_idx
  on identity_verification_codes (identity_verifiable_address_id);
create index identity_verification_codes_nid_idx on identity_verification_codes (nid);

create table identity_login_codes (
  id uuid primary key,
  code varchar(64) not null,
  address varchar(255) not null,
  address_type varchar(36) not null,
  used_at timestamp,
  expires_at timestamp not null default '2000-01-01 00:00:00',
  issued_at timestamp not null default '2000-01-01 00:00:00',
  selfservice_login_flow_id uuid not null
    constraint identity_login_codes_selfservice_login_flows_id_fk
    references selfservice_login_flows (id) on delete cascade,
  identity_id uuid not null
    constraint identity_login_codes_identity_id_fk
    references identities (id) on delete cascade on update restrict,
  created_at timestamp not null default current_timestamp,
  updated_at timestamp not null default current_timestamp,
  nid uuid not null
    constraint identity_login_codes_networks_id_fk
    references networks (id) on delete cascade on update restrict
);
create index identity_login_codes_flow_id_idx on identity_login_codes (selfservice_login_flow_id);
create index identity_login_codes_identity_id_idx on identity_login_codes (identity_id);
create index identity_login_codes_nid_idx on identity_login_codes (nid);

create table identity_registration_codes (
  id uuid primary key,
  code varchar(64) not null,
  address varchar(255) not null,
  address_type varchar(36) not null,
  used_at timestamp,
  expires_at timestamp not null default '2000-01-01 00:00:00',
  issued_at timestamp not null default '2000-01-01 00:00:00',
  selfservice_registration_flow_id uuid not null
    constraint identity_registration_codes_selfservice_registration_flows_id_f
    references selfservice_registration_flows (id) on delete cascade,
  created_at timestamp not null default current_timestamp,
  updated_at timestamp not null default current_timestamp,
  nid uuid not null
    constraint identity_registration_codes_networks_id_fk
    references networks (id) on delete cascade on update restrict
);
create index identity_registration_codes_flow_id_idx
  on identity_registration_codes (selfservice_registration_flow_id);
create index identity_registration_codes_nid_idx on identity_registration_codes (nid);
