import pg from 'pg'

/** The session token of row `i`; the load makes the same ones. */
export const tokenOf = (i: number) => `ory_st_${String(i).padStart(32, '0')}`

/** SQL for what is stored of the token of row `i`: SHA-256, cut to the column. @see src/crypto/tokens.ts storedToken */
export const storedSql = (i: string) => `'s2_' || translate(encode(substr(sha256(convert_to('ory_st_' ||
  lpad((${i})::text, 32, '0'), 'utf8')), 1, 27), 'base64'), '+/', '-_')`

/** SQL for the id of row `i`. */
export const idSql = (i: string) => `('00000000-0000-4000-8000-' || lpad(to_hex(${i}), 12, '0'))::uuid`
export const idOf = (i: number) => `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`

/** Sessions of one identity in ten, each with a device, an address and a password credential. */
export async function seed(dsn: string, nid: string, sessions: number): Promise<void> {
  const db = new pg.Client({ connectionString: dsn })
  await db.connect()
  const identities = Math.ceil(sessions / 10)
  const identity = (i: string) => `('00000000-0000-4000-9000-' || lpad(to_hex(${i}), 12, '0'))::uuid`
  const statements = [
    `truncate sessions, identities, lethe.events cascade`,
    `insert into identities (id, schema_id, traits, created_at, updated_at, nid, state, available_aal, state_changed_at)
     select ${identity('i')}, 'default', jsonb_build_object('email', 'user' || i || '@example.com'), now(), now(), '${nid}', 'active', 'aal1', now()
     from generate_series(1, ${identities}) i`,
    `insert into identity_verifiable_addresses (id, status, via, verified, value, identity_id, created_at, updated_at, nid)
     select gen_random_uuid(), 'pending', 'email', false, 'user' || i || '@example.com', ${identity('i')}, now(), now(), '${nid}'
     from generate_series(1, ${identities}) i`,
    `insert into identity_recovery_addresses (id, via, value, identity_id, created_at, updated_at, nid)
     select gen_random_uuid(), 'email', 'user' || i || '@example.com', ${identity('i')}, now(), now(), '${nid}'
     from generate_series(1, ${identities}) i`,
    `insert into identity_credentials (id, config, identity_credential_type_id, identity_id, created_at, updated_at, nid)
     select gen_random_uuid(), '{"hashed_password": "none"}', (select id from identity_credential_types where name = 'password'), ${identity('i')}, now(), now(), '${nid}'
     from generate_series(1, ${identities}) i`,
    `insert into sessions (id, issued_at, expires_at, authenticated_at, identity_id, created_at, updated_at, token, active, nid, logout_token, aal, authentication_methods)
     select ${idSql('i')}, now(), now() + interval '30 days', now(), ${identity(`1 + i % ${identities}`)}, now(), now(), ${storedSql('i')}, true, '${nid}',
       'lo_' || replace(${idSql('i')}::text, '-', ''), 'aal1', '[{"method": "password", "aal": "aal1", "completed_at": "2026-11-22T12:00:00.123456Z"}]'
     from generate_series(1, ${sessions}) i`,
    `insert into session_devices (id, ip_address, user_agent, location, nid, session_id, created_at, updated_at, identity_id)
     select gen_random_uuid(), '192.0.2.1:1234', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', '', '${nid}', ${idSql('i')}, now(), now(), ${identity(`1 + i % ${identities}`)}
     from generate_series(1, ${sessions}) i`,
    'vacuum (freeze, analyze)',
    'checkpoint',
  ]
  for (const statement of statements) await db.query(statement)
  await db.end()
}

/** Makes every session active again and forgets the ends, so that the next round finds the same work. */
export async function revive(dsn: string): Promise<void> {
  const db = new pg.Client({ connectionString: dsn })
  await db.connect()
  await db.query('update sessions set active = true where not active')
  await db.query('truncate lethe.events')
  await db.query('vacuum analyze sessions')
  await db.query('checkpoint')
  await db.end()
}
