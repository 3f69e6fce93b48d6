-- What an authenticator app has opened already. Kratos has no memory of codes, and its table no room for one.
create table lethe.totp_steps (
  identity_id uuid primary key,
  -- number of the half minute whose code passed last; that one and earlier ones pass never again
  step bigint not null,
  -- half minutes to come whose code was refused for a wrong clock, and must not pass when they have come
  told bigint[] not null default '{}'
);
