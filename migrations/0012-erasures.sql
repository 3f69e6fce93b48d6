-- People who are to be erased. What names their identity goes with it; this says by which words the rest is found, and goes
-- itself when nothing is left.
create table lethe.erasures (
  identity_id uuid primary key,
  nid uuid not null,
  -- identifiers and addresses, lower case
  names text[] not null,
  requested_at timestamp not null
);
