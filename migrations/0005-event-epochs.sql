-- Up to where the log of events is complete, for all nodes: what a node remembers is lost when it ends, and two nodes that
-- remember differ. The row with the greatest number is the present one. It counts for one life of one server; a server that
-- was promoted, restored or only started again gets the next row, which begins where the one before had come on *that*
-- server: what was told beyond may be gone, and its numbers are given out a second time.
create table lethe.event_epochs (
  number integer primary key,
  -- named in each place of the log that leaves the process
  id text not null constraint event_epochs_id_key unique,
  -- when this server was started; '' for the time before this table
  server text not null,
  timeline text,
  begins_after bigint not null,
  complete bigint not null,
  -- by the clock of the database: what was committed before is at or below "complete"
  complete_at timestamptz not null,
  -- a later row counts; no node may move "complete" any more
  ended boolean not null default false,
  reason text not null,
  begun_at timestamptz not null
) with (fillfactor = 50);

-- No transaction is between a place that it has drawn and its commit while this one looks.
lock table lethe.events in share mode;
insert into lethe.event_epochs (number, id, server, begins_after, complete, complete_at, reason, begun_at)
select 0, left(replace(gen_random_uuid()::text, '-', ''), 8), '', 0, coalesce(max(e.seq), 0), clock_timestamp(), 'first', clock_timestamp()
from lethe.events e;
-- A node that went on with the places of a server that is gone has set receivers beyond the end of the log.
update lethe.webhooks w set position = m.complete from lethe.event_epochs m where w.position > m.complete;
