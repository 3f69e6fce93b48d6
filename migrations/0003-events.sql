-- The log of events is read by time (lists, retention, what a token's life still reaches) and by identity; nobody asks
-- for a type alone. Both indexes on time and sequence grow at their right edge only, which costs an end next to nothing.
drop index lethe.events_type_idx;
create index events_created_at_idx on lethe.events (created_at, seq);
create index events_identity_id_idx on lethe.events (identity_id, seq) where identity_id is not null;

-- A session of an identity that was disabled and enabled again counts again, unless it is configured to stay ended. Then
-- the end that was told is taken back by an event of its own, and another end may follow.
alter table lethe.events add column resumed boolean not null default false;
drop index lethe.events_session_ended_once_idx;
create unique index events_session_ended_once_idx on lethe.events (session_id)
  where type = 'session.ended' and not resumed;

-- Receivers of events. "position" is the last event of the log for which the rows below have been written.
create table lethe.webhooks (
  id text primary key,
  -- null: the configuration says what it is, and only its place in the log is kept here
  settings jsonb,
  position bigint not null,
  created_at timestamp not null,
  updated_at timestamp not null
);

-- One row for each event that a receiver is to get. A row is taken for a try by setting "due_at" to the time when the
-- try counts as lost, so that a row of a node that died is found by the same index as any other.
create table lethe.deliveries (
  webhook_id text not null,
  seq bigint not null,
  session_id uuid,
  -- pending, delivered, dead
  state text not null,
  attempts integer not null,
  due_at timestamp not null,
  -- of the try that is under way: who finds another here has lost the row and writes nothing
  claim uuid,
  last_attempt_at timestamp,
  last_status integer,
  last_error text,
  created_at timestamp not null,
  finished_at timestamp,
  constraint deliveries_pkey primary key (webhook_id, seq)
) with (fillfactor = 80);
create index deliveries_due_idx on lethe.deliveries (webhook_id, due_at, seq) where state = 'pending';
create index deliveries_session_idx on lethe.deliveries (webhook_id, session_id, seq) where state = 'pending';
create index deliveries_dead_idx on lethe.deliveries (webhook_id, seq) where state = 'dead';
create index deliveries_seq_idx on lethe.deliveries (seq);
