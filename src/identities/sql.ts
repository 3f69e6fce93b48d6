import { sql } from '../kernel/db/client.ts'

/** A timestamp as JSON text in UTC: `to_json` gives ISO 8601 with the stored microseconds but without a zone. */
const time = (column: string) => `(to_json(${column}) #>> '{}') || 'Z'`
const times = (row: string) => `'created_at', ${time(`${row}.created_at`)}, 'updated_at', ${time(`${row}.updated_at`)}`

const VERIFIABLE_ADDRESSES = `(
  select coalesce(json_agg(json_strip_nulls(json_build_object(
    'id', a.id, 'value', a.value, 'verified', a.verified, 'via', a.via, 'status', a.status,
    'verified_at', ${time('a.verified_at')}, ${times('a')}
  )) order by a.id), '[]')
  from identity_verifiable_addresses a where a.identity_id = i.id and a.nid = i.nid)`

const RECOVERY_ADDRESSES = `(
  select coalesce(json_agg(json_build_object('id', a.id, 'value', a.value, 'via', a.via, ${times('a')})
    order by a.id), '[]')
  from identity_recovery_addresses a where a.identity_id = i.id and a.nid = i.nid)`

const IDENTIFIERS = `(
  select coalesce(json_agg(x.identifier order by x.identifier), '[]')
  from identity_credential_identifiers x where x.identity_credential_id = c.id and x.nid = c.nid)`

/** Go programs write JSON `null` for an empty value. */
const orEmpty = (column: string) => `coalesce(nullif(${column}, 'null'::jsonb), '{}'::jsonb)`

const CREDENTIALS = `(
  select coalesce(json_agg(json_build_object(
    'id', c.id, 'type', t.name, 'identifiers', ${IDENTIFIERS}, 'config', ${orEmpty('c.config')}, 'version', c.version, ${times('c')}
  ) order by t.name, c.id), '[]')
  from identity_credentials c join identity_credential_types t on t.id = c.identity_credential_type_id
  where c.identity_id = i.id and c.nid = i.nid)`

const IDENTITY_COLUMNS = `
  i.id, i.schema_id, i.state, i.state_changed_at, ${orEmpty('i.traits')} as traits, i.metadata_public, i.metadata_admin, i.external_id,
  i.organization_id, i.available_aal, i.created_at, i.updated_at,
  ${VERIFIABLE_ADDRESSES} as verifiable_addresses,
  ${RECOVERY_ADDRESSES} as recovery_addresses`

/** An identity with its addresses and credentials, as `FullIdentity`. */
export const SELECT_FULL = `select ${IDENTITY_COLUMNS}, ${CREDENTIALS} as credentials from identities i`

/** Bytes of JSON in one identity, as they are sent; the size of the column would be that of its compressed form. */
export const STORED_BYTES = `octet_length(coalesce(i.traits::text, '')) + octet_length(coalesce(i.metadata_public::text, ''))
    + octet_length(coalesce(i.metadata_admin::text, ''))`

/**
 * The identities of `candidates (id, bytes)` in order of their ids, up to `maxBytes` in all, but at least one; `more`
 * says whether any was left out. Credentials are an empty list unless the boolean `flag` is true.
 */
export const selectListed = (candidates: string, maxBytes: number, flag: string) =>
  `with candidates as (${candidates}), summed as (
    select id, sum(bytes) over (order by id) as bytes, row_number() over (order by id) as number from candidates
  ), fitting as (
    select id from summed where number = 1 or bytes <= ${maxBytes}
  )
  select ${IDENTITY_COLUMNS}, case when ${flag}::boolean then ${CREDENTIALS} else '[]' end as credentials,
    (select count(*) from candidates) > (select count(*) from fitting) as more
  from identities i where i.id in (select id from fitting) order by i.id`

/**
 * For rows that are deleted with an identity: it is locked before them, or its deletion, which locks them last, and the
 * writer would wait for each other. Nothing is found where it has been deleted meanwhile. Values: id, network.
 */
export const HOLD_IDENTITY = sql('identity.hold', 'select id from identities where id = $1 and nid = $2 for key share')

/** The same without waiting: it also finds nothing while the identity is being deleted. */
export const HOLD_IDENTITY_IF_FREE = sql(
  'identity.hold_if_free',
  'select id from identities where id = $1 and nid = $2 for key share skip locked',
)

/** As the first, by the id of one of its verifiable addresses. */
export const HOLD_OWNER = sql(
  'identity.hold_owner',
  `select id from identities where id = (select identity_id from identity_verifiable_addresses where id = $1 and nid = $2)
  and nid = $2 for key share`,
)
