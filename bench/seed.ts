import pg from 'pg'
import type { TokenMode } from '../src/kernel/crypto/tokens.ts'

/** The session token of row `i`; the load makes the same ones. */
export const tokenOf = (i: number) => `ory_st_${String(i).padStart(32, '0')}`

const tokenSql = (i: string) => `'ory_st_' || lpad((${i})::text, 32, '0')`

/** SQL for what is stored of the token of row `i`. @see src/kernel/crypto/tokens.ts storedToken */
export const storedSql = (i: string, tokens: TokenMode = 'sha256') =>
  tokens === 'plain'
    ? `(${tokenSql(i)})`
    : `'s2_' || translate(encode(substr(sha256(convert_to(${tokenSql(i)}, 'utf8')), 1, 27), 'base64'), '+/', '-_')`

/** SQL for the id of row `i`. */
export const idSql = (i: string) => `('00000000-0000-4000-8000-' || lpad(to_hex(${i}), 12, '0'))::uuid`
export const idOf = (i: number) => `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`

/** Ten sessions each. */
export const identitiesOf = (sessions: number) => Math.ceil(sessions / 10)
export const identityOfRow = (i: number, sessions: number) => identityId(1 + (i % identitiesOf(sessions)))
export const identityId = (i: number) => `00000000-0000-4000-9000-${i.toString(16).padStart(12, '0')}`
export const emailOf = (i: number) => `user${i}@example.com`
const identitySql = (i: string) => `('00000000-0000-4000-9000-' || lpad(to_hex(${i}), 12, '0'))::uuid`

/** Of every identity. */
export const PASSWORD = 'The-password-of-the-bench-1'

export interface Seed {
  tokens?: TokenMode
  /** of `PASSWORD`; without one nobody can log in */
  hash?: string
}

/**
 * Sessions of one identity in ten, each with a device, an address and a password credential. Everything else in these
 * tables goes.
 *
 * @throws when the database holds identities of somebody else
 */
export async function seed(dsn: string, nid: string, sessions: number, options: Seed = {}): Promise<void> {
  const { tokens = 'sha256', hash = 'none' } = options
  const db = new pg.Client({ connectionString: dsn })
  await db.connect()
  await refuseOthers(db)
  const identities = identitiesOf(sessions)
  const identity = identitySql
  const identityOf = identitySql(`1 + i % ${identities}`)
  const password = `(select id from identity_credential_types where name = 'password')`
  const logoutToken =
    tokens === 'plain' ? `'ory_lo_' || lpad(i::text, 32, '0')` : `'lo_' || replace(${idSql('i')}::text, '-', '')`
  const statements = [
    `truncate sessions, identities, lethe.events, lethe.tombstones cascade`,
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
     select ${identity('i')}, jsonb_build_object('hashed_password', '${hash}'), ${password}, ${identity('i')}, now(), now(), '${nid}'
     from generate_series(1, ${identities}) i`,
    `insert into identity_credential_identifiers (id, identifier, identity_credential_id, identity_credential_type_id, identity_id, created_at, updated_at, nid)
     select gen_random_uuid(), 'user' || i || '@example.com', ${identity('i')}, ${password}, ${identity('i')}, now(), now(), '${nid}'
     from generate_series(1, ${identities}) i`,
    `insert into sessions (id, issued_at, expires_at, authenticated_at, identity_id, created_at, updated_at, token, active, nid, logout_token, aal, authentication_methods)
     select ${idSql('i')}, now(), now() + interval '30 days', now(), ${identityOf}, now(), now(), ${storedSql('i', tokens)}, true, '${nid}',
       ${logoutToken}, 'aal1', '[{"method": "password", "aal": "aal1", "completed_at": "2026-11-22T12:00:00.123456Z"}]'
     from generate_series(1, ${sessions}) i`,
    `insert into session_devices (id, ip_address, user_agent, location, nid, session_id, created_at, updated_at, identity_id)
     select gen_random_uuid(), '192.0.2.1:1234', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', '', '${nid}', ${idSql('i')}, now(), now(), ${identityOf}
     from generate_series(1, ${sessions}) i`,
    'vacuum (freeze, analyze)',
    'checkpoint',
  ]
  for (const statement of statements) await db.query(statement)
  await db.end()
}

/** What is here is thrown away, so it must be ours. */
async function refuseOthers(db: pg.Client): Promise<void> {
  const ours = `'00000000-0000-4000-9000-000000000000' and '00000000-0000-4000-9000-ffffffffffff'`
  const { rows } = await db.query(`select exists (select from identities where id not between ${ours}) as others`)
  if (!rows[0].others) return
  await db.end()
  throw new Error('this database holds identities that the benchmark did not make; give it an empty one')
}

/** Makes every session active again and forgets logins and ends, so that the next run finds the same work. */
export async function revive(dsn: string): Promise<void> {
  const db = new pg.Client({ connectionString: dsn })
  await db.connect()
  const ours = `'00000000-0000-4000-8000-000000000000' and '00000000-0000-4000-8000-ffffffffffff'`
  await db.query(`delete from sessions where id not between ${ours}`)
  await db.query('update sessions set active = true where not active')
  await db.query('truncate lethe.events, lethe.tombstones')
  await db.query('truncate selfservice_login_flows cascade')
  await db.query('vacuum analyze sessions')
  await db.query('checkpoint')
  await db.end()
}

/** How many of the seeded sessions have ended. */
export async function endedSessions(dsn: string): Promise<number> {
  const db = new pg.Client({ connectionString: dsn })
  await db.connect()
  const { rows } = await db.query('select count(*)::int as ended from sessions where not active')
  await db.end()
  return rows[0].ended
}
