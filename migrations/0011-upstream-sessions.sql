-- What the end of a session needs to know of the sign-in at a provider that it came from. Kratos keeps no such thing; each
-- row goes with the end of its session.
create table lethe.upstream_sessions (
  session_id uuid not null,
  -- id of the entry in the configuration
  provider text not null,
  subject text not null,
  -- empty where the provider has none
  issuer text not null,
  -- what the provider calls its own session
  sid text,
  -- of this sign-in, sealed; empty where there is none
  id_token text not null,
  signed_in_at timestamp not null,
  primary key (session_id, provider, subject)
);
create index upstream_sessions_sid_idx on lethe.upstream_sessions (issuer, sid) where sid is not null;
create index upstream_sessions_subject_idx on lethe.upstream_sessions (issuer, subject);
