-- The relying party that each key was made for: browsers refuse it for any other, and Kratos's rows do not say it.
create table lethe.key_parties (
  identity_id uuid not null,
  -- base64url
  key_id text not null,
  rp_id text not null,
  primary key (identity_id, key_id)
);
