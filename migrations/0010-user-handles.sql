--! owned
-- A passkey says whom it signs for; keys of sign-ups by security key are found by it as well.
create index identity_credentials_user_handle_idx on identity_credentials ((config ->> 'user_handle'))
  where config ? 'user_handle';
