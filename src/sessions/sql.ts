import { PASSWORD } from '../credentials/password.ts'
import { isOptionalFactor, isSecondFactor } from '../credentials/sql.ts'
import { lastEnd, nextEnd, tombstoned } from './lifecycle.ts'

/**
 * JSON members are text that is ready to be sent: building it by concatenation takes half of the time of `json_build_object`,
 * and an answer made of texts a fifth of one that is parsed and serialised again.
 */
const json = (column: string) => `coalesce(to_json(${column})::text, 'null')`
/** `to_json` gives ISO 8601 in quotes with the stored microseconds but without a zone. */
const time = (column: string) => `left(to_json(${column})::text, -1) || 'Z"'`
const list = (members: string, order: string) =>
  `'[' || string_agg('{' || ${members} || '}', ',' order by ${order}) || ']'`

export const DEVICES = `(
  select ${list(
    `'"id":"' || d.id || '","ip_address":' || ${json('d.ip_address')} || ',"user_agent":' || ${json('d.user_agent')}
    || ',"location":' || ${json('d.location')}`,
    'd.created_at, d.id',
  )}
  from session_devices d where d.session_id = s.id and d.nid = s.nid)`

const TIMES = `',"created_at":' || ${time('a.created_at')} || ',"updated_at":' || ${time('a.updated_at')}`

const VERIFIABLE_ADDRESSES = `(
  select ${list(
    `'"id":"' || a.id || '","value":' || ${json('a.value')} || ',"verified":' || a.verified
    || ',"via":' || ${json('a.via')} || ',"status":' || ${json('a.status')}
    || coalesce(',"verified_at":' || ${time('a.verified_at')}, '') || ${TIMES}`,
    'a.id',
  )}
  from identity_verifiable_addresses a where a.identity_id = i.id and a.nid = i.nid)`

const RECOVERY_ADDRESSES = `(
  select ${list(
    `'"id":"' || a.id || '","value":' || ${json('a.value')} || ',"via":' || ${json('a.via')} || ${TIMES}`,
    'a.id',
  )}
  from identity_recovery_addresses a where a.identity_id = i.id and a.nid = i.nid)`

/**
 * `set`, `optional` or null, see `secondFactorOf`. With a stale `aal1` a password alone must not be enough. A flag that says
 * aal2 is trusted, unless it may say so for codes, which count only while they are enabled. Whether another method is enabled
 * does not matter here. Not `exists`: for it a generic plan hashes the whole table.
 */
const SECOND_FACTOR = `coalesce((
  select max(case when ${isSecondFactor('c.config')} then 'set'
    when ${isOptionalFactor('c.config')} then 'optional' end)
  from identity_credentials c where c.identity_id = i.id and c.nid = i.nid),
  case when i.available_aal = 'aal2' then 'set' end)`

/**
 * With the ends by the rules, so that every answer and every decision sees the same ones.
 * @param ends SQL; without it there are no rules
 */
const sessionColumns = (ends?: { next: string; last: string }) => `
  s.id, s.token, s.identity_id, coalesce(s.active, false) as active, s.issued_at, s.authenticated_at, s.aal,
  ${ends ? `${ends.next} as expires_at, ${ends.last} as lasts_until` : 's.expires_at'},
  s.authentication_methods::text, coalesce(s.logout_token, '') as logout_token,
  ${tombstoned('s')} as tombstoned`

export const SESSION_COLUMNS = sessionColumns({ next: nextEnd('s'), last: lastEnd('s') })

/** The identity's own row, without its addresses and credentials. */
export const IDENTITY_ROW = `
  i.schema_id, i.state, i.state_changed_at, coalesce(nullif(i.traits, 'null'), '{}')::text as traits, i.metadata_public::text, i.metadata_admin::text, i.external_id,
  i.organization_id, i.available_aal, i.created_at, i.updated_at`

/** Bytes of JSON in an identity, as they are sent. */
export const IDENTITY_BYTES = `(octet_length(coalesce(i.traits::text, ''))
  + octet_length(coalesce(i.metadata_public::text, '')) + octet_length(coalesce(i.metadata_admin::text, '')))`

const IDENTITY_COLUMNS = `${IDENTITY_ROW},
  ${SECOND_FACTOR} as second_factor,
  ${VERIFIABLE_ADDRESSES} as verifiable_addresses,
  ${RECOVERY_ADDRESSES} as recovery_addresses`

const select = (columns: string) => `select ${columns}, ${IDENTITY_COLUMNS}, ${DEVICES} as devices
  from sessions s join identities i on i.id = s.identity_id and i.nid = s.nid`

/** A session with everything that an answer or a decision about it needs, in one statement. */
export const SELECT_SESSION = select(
  sessionColumns({ next: nextEnd('s', 'i.schema_id'), last: lastEnd('s', 'i.schema_id') }),
)
/** The same when no rule is configured: it is read at every click. */
export const SELECT_SESSION_WITHOUT_RULES = select(sessionColumns())

/**
 * Locks the identity `id` until the end of the transaction, as CTE `identity (id, state)`. Empty also when another transaction
 * holds it: then the caller throws NotLocked.
 * @see ../identities/store-locks.ts
 */
export const lockIdentity = (id: string, nid: string) => `identity as (
    select id, state from identities where id = ${id} and nid = ${nid} for no key update skip locked
  )`

/**
 * Whether `identity` may begin or renew a session, as CTE `proven (id)`: it is active, and its password hash is still the
 * one that was checked. The credential has a lock of its own: a join would show it as it was before the lock on the identity.
 * @param hash parameter; null where no password was checked
 */
export const stillProven = (hash: string, nid: string) => `credential as (
    select c.id from identity join identity_credentials c on c.identity_id = identity.id and c.nid = ${nid}
      join identity_credential_types t on t.id = c.identity_credential_type_id and t.name = '${PASSWORD}'
    where c.config ->> 'hashed_password' = ${hash}::text for no key update of c skip locked
  ), proven as (
    select identity.id from identity
    where identity.state = 'active' and (${hash}::text is null or exists (select from credential))
  )`
