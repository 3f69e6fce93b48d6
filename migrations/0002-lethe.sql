-- Lethe's own tables. They have no foreign keys onto the tables of Kratos: a later migration of Kratos could then neither
-- drop nor rebuild those, and a row that outlives its session is wanted here (the log of what happened to it).

create table lethe.meta (
  key text primary key,
  value jsonb not null
);

create table lethe.events (
  seq bigint generated always as identity primary key,
  id uuid not null constraint events_id_key unique,
  type text not null,
  cause text,
  session_id uuid,
  identity_id uuid,
  nid uuid not null,
  actor jsonb,
  device jsonb,
  data jsonb,
  created_at timestamp not null
);
create index events_session_id_idx on lethe.events (session_id, seq);
create index events_type_idx on lethe.events (type, seq);
-- A session ends once, whoever ends it and however many nodes try at the same moment.
create unique index events_session_ended_once_idx on lethe.events (session_id) where type = 'session.ended';

-- Kratos's refresh login writes the whole session row with active = true and so brings back a session that was ended
-- meanwhile (seen 8 times in 8 tries). On a database shared with it, this row decides, not that flag.
create table lethe.tombstones (
  session_id uuid primary key,
  ended_at timestamp not null
);
create index tombstones_ended_at_idx on lethe.tombstones (ended_at);

-- Kept apart from "sessions": one small row is rewritten in place, and Kratos's table is not bloated by reads.
create table lethe.last_seen (
  session_id uuid primary key,
  seen_at timestamp not null
) with (fillfactor = 70);
