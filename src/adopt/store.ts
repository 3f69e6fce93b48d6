import { descriptorOf } from '../credentials/descriptors.ts'
import { PASSWORD } from '../credentials/password.ts'
import { isSet, listOfTypes } from '../credentials/sql.ts'
import type { Timestamp } from '../kernel/base/clock.ts'
import { type Queryable, sql } from '../kernel/db/client.ts'
import { HOME_SCHEMA } from '../kernel/db/home-schema.ts'

const READ_ONLY = sql('adopt.read_only', 'set transaction read only')

const NETWORKS = sql('adopt.networks', 'select id from networks order by created_at, id')

const COUNTS = sql(
  'adopt.counts',
  `select
    (select count(*) from identities where nid = $1) as identities,
    (select count(*) from identities where nid = $1 and state <> 'active') as disabled_identities,
    (select count(*) from identities where nid is distinct from $1) as identities_of_other_networks,
    (select count(*) from sessions where nid = $1) as sessions,
    (select count(*) from sessions s join identities i on i.id = s.identity_id and i.nid = s.nid
      where s.nid = $1 and s.active and s.expires_at > $2 and i.state = 'active') as active_sessions,
    (select count(*) from sessions s
      where s.nid = $1 and s.active and s.expires_at > $2 and s.aal = 'aal2') as active_sessions_aal2,
    (select count(*) from sessions where token is null or logout_token is null or active is null or nid is null)
      as unreadable_sessions,
    (select count(*) from identities where nid = $1 and organization_id is not null) as identities_of_organizations,
    (select count(*) from identity_verifiable_addresses where nid = $1 and not verified) as unverified_addresses,
    (select count(*) from identity_recovery_addresses where nid = $1) as recovery_addresses`,
)

const SET = isSet('t.name', 'c.config')
const HAS_PASSWORD = (credential: string) => descriptorOf(PASSWORD)!.isSet!(`${credential}.config`)
/** Types of credentials that are not offered here. */
const OTHER_WAYS = listOfTypes((d) => d.notOffered)

const CREDENTIALS = sql(
  'adopt.credentials',
  `select t.name as type, count(distinct c.identity_id) as identities
   from identity_credentials c join identity_credential_types t on t.id = c.identity_credential_type_id
   where c.nid = $1 and ${SET} group by t.name order by t.name`,
)

/** Identities that could not sign in here. */
const WITHOUT_PASSWORD = sql(
  'adopt.without_password',
  `select count(distinct c.identity_id) as identities
   from identity_credentials c join identity_credential_types t on t.id = c.identity_credential_type_id
   where c.nid = $1 and t.name in ${OTHER_WAYS} and ${SET} and not exists (
     select from identity_credentials p join identity_credential_types pt on pt.id = p.identity_credential_type_id
     where p.identity_id = c.identity_id and p.nid = c.nid and pt.name = '${PASSWORD}'
       and ${HAS_PASSWORD('p')})`,
)

const SCHEMAS = sql(
  'adopt.schemas',
  'select schema_id as id, count(*) as identities from identities where nid = $1 group by schema_id order by schema_id',
)

/** One hash of each family, to try whether they can be verified; for no other use. */
const HASHES = sql(
  'adopt.hashes',
  `select substring(c.config ->> 'hashed_password' from '^[$]?[{]?[a-zA-Z0-9-]+') as family, count(*) as identities,
     min(c.config ->> 'hashed_password') as sample
   from identity_credentials c join identity_credential_types t on t.id = c.identity_credential_type_id
   where c.nid = $1 and t.name = '${PASSWORD}' and ${HAS_PASSWORD('c')}
   group by 1 order by 1`,
)

const HOOKED = sql(
  'adopt.migration_hook',
  `select count(*) as identities from identity_credentials
   where nid = $1 and config @> '{"use_password_migration_hook": true}'`,
)

const MESSAGES = sql(
  'adopt.messages',
  'select count(*) as waiting from courier_messages where nid = $1 and status in (1, 3)',
)
const HAS_MESSAGES = sql(
  'adopt.has_messages',
  `select has_table_privilege(c.oid, 'select') as readable from pg_class c
  join pg_namespace n on n.oid = c.relnamespace where n.nspname = (${HOME_SCHEMA}) and c.relname = 'courier_messages'`,
)

const SESSION_BY_TOKEN = sql(
  'adopt.session_by_token',
  `select s.active and s.expires_at > $3 and i.state = 'active' as live
   from sessions s join identities i on i.id = s.identity_id where s.token = any($1) and s.nid = $2`,
)

export interface Census {
  identities: number
  disabled_identities: number
  identities_of_other_networks: number
  sessions: number
  active_sessions: number
  active_sessions_aal2: number
  unreadable_sessions: number
  identities_of_organizations: number
  unverified_addresses: number
  recovery_addresses: number
  /** identities that have one, by type of credential */
  credentials: Record<string, number>
  without_password: number
  migration_hook: number
  schemas: { id: string; identities: number }[]
  hashes: { family: string; identities: number; sample: string }[]
  /** undefined where the table cannot be read */
  waiting_messages: number | undefined
}

/** From here on, the transaction cannot write. */
export async function forbidWrites(tx: Queryable): Promise<void> {
  await tx.query(READ_ONLY)
}

/** The networks, the one in use first. */
export async function readNetworks(db: Queryable): Promise<string[]> {
  return (await db.query<{ id: string }>(NETWORKS)).map(({ id }) => id)
}

/** Counts the rows of a database of Kratos. Reads whole tables. */
export async function takeCensus(db: Queryable, nid: string, now: Timestamp): Promise<Census> {
  type Counted = { identities: number }
  const [counts] = await db.query<Omit<Census, 'credentials'>>(COUNTS, [nid, now])
  const credentials = await db.query<{ type: string; identities: number }>(CREDENTIALS, [nid])
  const [without] = await db.query<Counted>(WITHOUT_PASSWORD, [nid])
  const [hooked] = await db.query<Counted>(HOOKED, [nid])
  const [messages] = await db.query<{ readable: boolean }>(HAS_MESSAGES)
  const [waiting] = messages?.readable ? await db.query<{ waiting: number }>(MESSAGES, [nid]) : []
  return {
    ...counts!,
    credentials: Object.fromEntries(credentials.map(({ type, identities }) => [type, identities])),
    without_password: without!.identities,
    migration_hook: hooked!.identities,
    schemas: await db.query<Census['schemas'][number]>(SCHEMAS, [nid]),
    hashes: await db.query<Census['hashes'][number]>(HASHES, [nid]),
    waiting_messages: waiting?.waiting,
  }
}

/** The session of a token from a cookie. @param stored the forms in which it may be stored */
export async function sessionOf(
  db: Queryable,
  stored: readonly string[],
  nid: string,
  now: Timestamp,
): Promise<'live' | 'ended' | 'unknown'> {
  const [row] = await db.query<{ live: boolean | null }>(SESSION_BY_TOKEN, [stored, nid, now])
  if (!row) return 'unknown'
  return row.live ? 'live' : 'ended'
}
