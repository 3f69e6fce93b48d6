-- Failed logins of the last minutes, so that all nodes count as one. Each row cost its client a whole password hash, which
-- bounds how many there are; what is over is deleted by the next failures.
create table lethe.login_failures (
  -- HMAC of what is counted: neither an identifier nor an address can be read out of it, or be guessed
  key text primary key,
  -- microseconds since 1970, the oldest first
  times bigint[] not null,
  expires_at bigint not null
) with (fillfactor = 70);
create index login_failures_expires_at_idx on lethe.login_failures (expires_at);
