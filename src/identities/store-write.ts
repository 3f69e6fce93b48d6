import { PASSWORD } from '../credentials/password.ts'
import type { Timestamp } from '../kernel/base/clock.ts'
import { stringifyJson } from '../kernel/base/exact-json.ts'
import { type Queryable, sql } from '../kernel/db/client.ts'
import type { ConfigChange } from './credential-changes.ts'
import type { FullIdentity } from './types.ts'

/** Rows of an identity are sent as JSON lists, so that any number of them is one statement. */
const ROWS = {
  credential: 'id uuid, type text, config jsonb, version int, created_at timestamp, updated_at timestamp',
  identifier: 'id uuid, credential_id uuid, type text, identifier text',
  verifiable: `id uuid, value text, verified boolean, via text, status text, verified_at timestamp,
    created_at timestamp, updated_at timestamp`,
  recovery: 'id uuid, value text, via text, created_at timestamp, updated_at timestamp',
}
const rows = (parameter: string, kind: keyof typeof ROWS) =>
  `jsonb_to_recordset(${parameter}::jsonb) as r(${ROWS[kind]})`

/** Inserts the rows that belong to an identity. */
const PARTS = `credential as (
    insert into identity_credentials (id, config, identity_credential_type_id, identity_id, created_at, updated_at, nid,
      version)
    select r.id, r.config, t.id, :id::uuid, r.created_at, r.updated_at, :nid::uuid, r.version
    from ${rows(':credentials', 'credential')} join identity_credential_types t on t.name = r.type
  ), identifier as (
    insert into identity_credential_identifiers (id, identifier, identity_credential_id, created_at, updated_at, nid,
      identity_credential_type_id, identity_id)
    select r.id, r.identifier, r.credential_id, :now::timestamp, :now::timestamp, :nid::uuid, t.id, :id::uuid
    from ${rows(':identifiers', 'identifier')} join identity_credential_types t on t.name = r.type
  ), verifiable as (
    insert into identity_verifiable_addresses (id, status, via, verified, value, verified_at, identity_id, created_at,
      updated_at, nid)
    select r.id, r.status, r.via, r.verified, r.value, r.verified_at, :id::uuid, r.created_at, r.updated_at, :nid::uuid
    from ${rows(':verifiable', 'verifiable')}
  ), recovery as (
    insert into identity_recovery_addresses (id, via, value, identity_id, created_at, updated_at, nid)
    select r.id, r.via, r.value, :id::uuid, r.created_at, r.updated_at, :nid::uuid from ${rows(':recovery', 'recovery')}
  )`

const INSERT = sql(
  'identity.insert',
  `with ${PARTS}
  insert into identities (id, nid, created_at, updated_at, schema_id, traits, state, state_changed_at, metadata_public,
    metadata_admin, external_id, organization_id, available_aal)
  values (:id, :nid, :now, :now, :schema_id, :traits, :state, :state_changed_at, :metadata_public, :metadata_admin,
    :external_id, :organization_id, :available_aal)`,
)

const INSERT_PARTS = sql('identity.insert_parts', `with ${PARTS} select :id::uuid as id`)

const DELETE_PARTS = sql(
  'identity.delete_parts',
  `with credential as (
    delete from identity_credentials where identity_id = $1 and nid = $2 and id = any($3::uuid[])
  ), verifiable as (
    delete from identity_verifiable_addresses where identity_id = $1 and nid = $2 and id = any($4::uuid[])
  )
  delete from identity_recovery_addresses where identity_id = $1 and nid = $2 and id = any($5::uuid[])`,
)

/** Documents that do not change stay as they were stored, to the last digit of their numbers. */
const UPDATE = sql(
  'identity.update',
  `update identities set updated_at = :updated_at, schema_id = :schema_id, traits = coalesce(:traits, traits), state = :state,
    state_changed_at = :state_changed_at, metadata_public = case when :metadata_public_changed::boolean then :metadata_public else metadata_public end,
    metadata_admin = case when :metadata_admin_changed::boolean then :metadata_admin else metadata_admin end, external_id = :external_id, organization_id = :organization_id,
    available_aal = :available_aal
  where id = :id and nid = :nid`,
)

/**
 * Only if the old hash is still there and the identity is not locked. The credential keeps its row, so that no
 * identifier is ever missing.
 */
const REPLACE_HASH = sql(
  'identity.replace_hash',
  `with identity as (
    select id from identities where id = $1 and nid = $2 for no key update skip locked
  ), credential as (
    update identity_credentials c
    set config = jsonb_set(c.config, '{hashed_password}', to_jsonb($5::text)), updated_at = $3
    from identity, identity_credential_types t
    where c.identity_id = identity.id and c.nid = $2 and t.id = c.identity_credential_type_id and t.name = '${PASSWORD}'
      and c.config ->> 'hashed_password' = $4
    returning c.identity_id
  )
  update identities i set updated_at = $3 from credential where i.id = credential.identity_id and i.nid = $2
  returning i.id`,
)

/** The same for any config, compared as a whole. */
const REPLACE_CONFIG = sql(
  'identity.replace_config',
  `with identity as (
    select id from identities where id = $1 and nid = $2 for no key update skip locked
  ), credential as (
    update identity_credentials c set config = $6, updated_at = $3
    from identity, identity_credential_types t
    where c.identity_id = identity.id and c.nid = $2 and t.id = c.identity_credential_type_id and t.name = $4
      and c.config = $5::jsonb
    returning c.identity_id
  )
  update identities i set updated_at = $3 from credential where i.id = credential.identity_id and i.nid = $2
  returning i.id`,
)

/** Locks the credential, so that it is not removed before what depends on it is written. */
const HOLD_CONFIG = sql(
  'identity.hold_config',
  `with identity as (
    select id from identities where id = $1 and nid = $2 for no key update skip locked
  )
  select c.id from identity join identity_credentials c on c.identity_id = identity.id and c.nid = $2
    join identity_credential_types t on t.id = c.identity_credential_type_id
  where t.name = $3 and c.config = $4::jsonb for no key update of c skip locked`,
)

const DELETE = sql('identity.delete', 'delete from identities where id = $1 and nid = $2 returning id')

/** The rows to add, with their ids; `identifiers` of credentials become rows of their own. */
export type NewParts = Pick<FullIdentity, 'credentials' | 'verifiable_addresses' | 'recovery_addresses'>

/** Ids of the rows to delete. */
export interface OldParts {
  credentials: readonly string[]
  verifiable: readonly string[]
  recovery: readonly string[]
}

export type IdentityWriter = ReturnType<typeof createIdentityWriter>

/** Writes identities of one network. @throws Conflict when an identifier, address or external id is taken */
export function createIdentityWriter(nid: string, newId: () => string) {
  const partValues = (id: string, now: Timestamp, parts: NewParts) => ({
    id,
    nid,
    now,
    credentials: stringifyJson(parts.credentials),
    identifiers: stringifyJson(parts.credentials.flatMap(identifierRows)),
    verifiable: stringifyJson(parts.verifiable_addresses),
    recovery: stringifyJson(parts.recovery_addresses),
  })
  const identifierRows = ({ id, type, identifiers }: FullIdentity['credentials'][number]) =>
    identifiers.map((identifier) => ({ id: newId(), credential_id: id, type, identifier }))

  return {
    /** An identity with its credentials and addresses, in one statement. */
    async insert(on: Queryable, i: FullIdentity): Promise<void> {
      await on.query(INSERT, { ...i, ...documents(i), ...partValues(i.id, i.created_at, i) })
    },
    /** @param before as it was read in the same transaction: unchanged documents are not written */
    async update(tx: Queryable, before: FullIdentity, i: FullIdentity): Promise<void> {
      const changed = (name: 'traits' | 'metadata_public' | 'metadata_admin') => json(i[name]) !== json(before[name])
      await tx.query(UPDATE, {
        ...i,
        ...documents(i),
        nid,
        traits: changed('traits') ? i.traits : null,
        metadata_public_changed: changed('metadata_public'),
        metadata_admin_changed: changed('metadata_admin'),
      })
    },
    /** Deletes first, then inserts, in two statements: a value may move from one row to another. */
    async replaceParts(tx: Queryable, id: string, now: Timestamp, old: OldParts, added: NewParts): Promise<void> {
      const gone = [old.credentials, old.verifiable, old.recovery]
      if (gone.some((ids) => ids.length > 0)) await tx.query(DELETE_PARTS, [id, nid, ...gone])
      const rows = [added.credentials, added.verifiable_addresses, added.recovery_addresses]
      if (rows.some((list) => list.length > 0)) await tx.query(INSERT_PARTS, partValues(id, now, added))
    },
    /** @returns whether the old hash was still there */
    async replaceHash(on: Queryable, id: string, hash: { from: string; to: string }, now: Timestamp): Promise<boolean> {
      return (await on.query(REPLACE_HASH, [id, nid, now, hash.from, hash.to])).length > 0
    },
    /** @returns whether the config was still what it was */
    async replaceConfig(tx: Queryable, id: string, c: ConfigChange, now: Timestamp): Promise<boolean> {
      const values = [id, nid, now, c.type, stringifyJson(c.from), stringifyJson(c.to)]
      return (await tx.query(REPLACE_CONFIG, values)).length > 0
    },
    /** @returns whether the config is what it was */
    async holdConfig(tx: Queryable, id: string, c: Pick<ConfigChange, 'type' | 'from'>): Promise<boolean> {
      return (await tx.query(HOLD_CONFIG, [id, nid, c.type, stringifyJson(c.from)])).length > 0
    },
    /** Its rows in other tables are deleted by foreign keys. @returns whether it existed */
    async remove(tx: Queryable, id: string): Promise<boolean> {
      return (await tx.query(DELETE, [id, nid])).length > 0
    },
  }
}

const documents = ({ metadata_public, metadata_admin }: FullIdentity) => ({
  metadata_public: json(metadata_public),
  metadata_admin: json(metadata_admin),
})

/** JSON null is stored as SQL NULL, everything else as JSON, also bare texts and numbers. */
function json(value: unknown): string | null {
  return value === null ? null : stringifyJson(value)
}
