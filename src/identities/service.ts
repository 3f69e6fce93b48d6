import type { CodeUse } from '../credentials/descriptor.ts'
import { descriptorOf } from '../credentials/descriptors.ts'
import { PASSWORD, passwordHashOf } from '../credentials/password.ts'
import { type Clock, formatTime, type Timestamp } from '../kernel/base/clock.ts'
import { formatUuid, isUuid, uuid } from '../kernel/base/uuid.ts'
import type { Hasher } from '../kernel/crypto/passwords/passwords.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import type { Db, Queryable } from '../kernel/db/client.ts'
import type { Erasure } from '../maintenance/erasure.ts'
import type { EndCause } from '../sessions/types.ts'
import { type BatchItem, createBatch } from './admin/batch.ts'
import type { IdentityBody } from './admin/bodies.ts'
import type { IdentityAnswers } from './answers.ts'
import { type Amendment, createChanges, type FactorReset } from './changes.ts'
import { createCreation, type Registration } from './creation.ts'
import { type ConfigChange, createCredentialChanges } from './credential-changes.ts'
import { asciiAddress, otherSpelling } from './domains.ts'
import type { DraftCredential } from './draft.ts'
import { schemaUnknown, unknownIdentity } from './failures.ts'
import { normaliseIdentifier, normalisePhone } from './normalise.ts'
import type { Schemas } from './schema/schemas.ts'
import type { IdentityLimits } from './sizes.ts'
import type { IdentityPage, IdentityStore, ListFilter, ListPage } from './store.ts'
import type { AddressStore } from './store-addresses.ts'
import type { IdentityLocks } from './store-locks.ts'
import type { IdentityWriter } from './store-write.ts'
import type {
  AddressOwner,
  DerivedTraits,
  FullIdentity,
  Json,
  PasswordCredential,
  TraitAddress,
  TraitsFailure,
} from './types.ts'

export interface IdentityServiceDeps {
  db: Db
  clock: Clock
  random: Random
  store: IdentityStore
  addresses: AddressStore
  writer: IdentityWriter
  locks: Pick<IdentityLocks, 'tx'>
  /** the schemas in force; read at each call, as a reload may change them */
  schemas(): Schemas
  limits(): IdentityLimits
  /** what codes that are sent are for */
  codes(): CodeUse
  hasher: Pick<Hasher, 'hash' | 'knows'>
  answers: IdentityAnswers
  sessions: SessionEnds
  erasure: Pick<Erasure, 'begin' | 'ofDeleted'>
  notices: AccountNotices
}

/** Messages to owners about what has changed in their accounts. */
export interface AccountNotices {
  /** Queues them, in the transaction that makes the change. */
  changed(before: FullIdentity, after: FullIdentity, tx: Queryable): Promise<void>
}

/** What happens to the sessions of an identity, in the transaction that changes the identity. */
export interface SessionEnds {
  /** Ends them for good, with events. */
  endSessionsOf(tx: Queryable, identityId: string, cause: EndCause, except?: string): Promise<unknown>
  /** The identity becomes inactive: appends events for them, and ends them where it is so configured. */
  identityDisabled(tx: Queryable, identityId: string): Promise<unknown>
  /** The identity becomes active: appends events for those that count again. */
  identityEnabled(tx: Queryable, identityId: string): Promise<unknown>
  /** An operator sets another password: ends them where it is so configured. */
  passwordSetByOperator(tx: Queryable, identityId: string): Promise<unknown>
  /** An operator removes all second factors: ends them. @returns their ids */
  factorsReset(tx: Queryable, identityId: string): Promise<string[]>
}

/** Reads and changes identities, with everything that depends on them. With `tx`, as part of the caller's transaction. */
export interface IdentityService {
  /** @throws 404 */
  get(id: string, tx?: Queryable): Promise<FullIdentity>
  /** @throws 404 */
  getByExternalId(externalId: string): Promise<FullIdentity>
  list(filter: ListFilter, page: ListPage): Promise<IdentityPage>
  count(): Promise<number>
  /** The identity of a login identifier, whatever its state; undefined for an unknown one. */
  findByPasswordIdentifier(identifier: string): Promise<PasswordCredential | undefined>
  /** The identity that already has an identifier or address of these traits. @returns with that value */
  findByTraits(schemaId: string, traits: Json): Promise<{ identity: FullIdentity; identifier: string } | undefined>
  /** The owner of a recovery address, whatever their state. @param value as it was typed */
  findByRecoveryAddress(via: 'email' | 'sms', value: string): Promise<AddressOwner | undefined>
  /** The owner of an address, whatever their state. @param value as it was typed */
  findByVerifiableAddress(via: 'email' | 'sms', value: string): Promise<AddressOwner | undefined>
  /** Notes that a message was sent to an address. A verified one stays so. @param id of the address */
  noteAddressSent(id: string, tx: Queryable): Promise<void>
  /** Marks an address as verified. @param at absent: now. @throws NotLocked */
  verifyAddress(identityId: string, address: TraitAddress, tx: Queryable, at?: Timestamp): Promise<void>
  /** The identity with this identifier of a credential of that type, whatever its state. */
  findByIdentifier(type: string, identifier: string): Promise<FullIdentity | undefined>
  /** The identity with this identifier, whatever the credential. */
  findByAnyIdentifier(identifier: string): Promise<FullIdentity | undefined>
  /** The identity of this WebAuthn user handle. */
  findByUserHandle(handle: Buffer): Promise<FullIdentity | undefined>
  /** The identifiers and addresses in traits under a schema. @throws 400 for an unknown schema */
  derive(schemaId: string, traits: Json): DerivedTraits | TraitsFailure

  /** @throws 400, 409 */
  create(body: IdentityBody, tx?: Queryable): Promise<FullIdentity>
  /** Creates each by itself: one result for each, in order. @throws 400 before anything is done */
  batch(bodies: readonly IdentityBody[]): Promise<BatchItem[]>
  /** @throws 400, Conflict when an identifier is taken */
  register(input: Registration, tx?: Queryable): Promise<FullIdentity>
  /** The identity that `register` would store. @throws 400 */
  prepare(input: Registration): FullIdentity

  /** @throws 400, 404, 409 */
  update(id: string, body: IdentityBody): Promise<FullIdentity>
  /** @param patch undefined when the body was empty @throws 400, 404, 409 */
  patch(id: string, patch: Json | undefined): Promise<FullIdentity>
  /** @throws 400 when the traits break the schema, 404, 409 */
  updateTraits(id: string, traits: Json, tx?: Queryable): Promise<FullIdentity>
  /** @throws 400 when the traits break the schema, 404, 409 */
  amend(id: string, amendment: Amendment, tx?: Queryable): Promise<FullIdentity>
  /** @throws 404 */
  setPassword(id: string, hash: string, tx?: Queryable): Promise<FullIdentity>
  /**
   * Replaces a hash by a better one of the same password. Does nothing when the stored hash is no longer `from`: an
   * old password must not come back. Does nothing either while another transaction has locked the identity: it can wait.
   */
  replacePasswordHash(id: string, hashes: { from: string; to: string }, tx?: Queryable): Promise<boolean>
  /**
   * Writes the assurance level that the credentials reach, where the stored one is another.
   * @returns the identity as it is then; undefined where it was right. @throws NotLocked
   */
  correctAvailableAal(id: string, tx: Queryable): Promise<FullIdentity | undefined>
  /**
   * Changes credentials; those that follow from the traits stay.
   * @param edit gets the present ones and returns the new ones; called under the lock. What it throws is passed on
   * @throws 409 where an identifier is taken, NotLocked
   */
  changeCredentials(
    id: string,
    edit: (before: FullIdentity) => readonly DraftCredential[],
    tx: Queryable,
  ): Promise<FullIdentity>
  /** Replaces the config of a credential, if it is still `from` and the identity is not locked. @returns whether it did */
  replaceConfig(id: string, change: ConfigChange, tx: Queryable): Promise<boolean>
  /** Locks a credential until the transaction ends, if its config is still `from`. @returns whether it did */
  holdConfig(id: string, held: Pick<ConfigChange, 'type' | 'from'>, tx: Queryable): Promise<boolean>

  /** Ends its sessions and deletes it. @param erase also what is known of the person, even of one deleted before @throws 404 */
  remove(id: string, erase?: boolean): Promise<void>
  /** @throws 400 for the last first factor, 404 */
  removeCredential(id: string, type: string, identifier?: string): Promise<void>
  /**
   * Removes all second factors, and ends all sessions: a thief of the lost device may be signed in.
   * @param passkeys also keys that are enough to sign in with @throws 404
   */
  resetFactors(id: string, passkeys: boolean): Promise<FactorReset>
}

export function createIdentities(d: IdentityServiceDeps): IdentityService {
  const buildContext = () => ({
    schemas: d.schemas(),
    limits: d.limits(),
    codes: d.codes(),
    now: formatTime(d.clock.now()),
    newId: () => uuid(d.random),
  })
  const creation = createCreation({ ...d, buildContext })
  const changes = createChanges({ ...d, buildContext })
  const found = (identity: FullIdentity | undefined) => {
    if (!identity) throw unknownIdentity()
    return identity
  }

  return {
    get: async (id, tx) => found(isUuid(id) ? await d.store.byId(id, tx) : undefined),
    getByExternalId: async (externalId) => found(await d.store.byExternalId(externalId)),
    list: d.store.list,
    count: d.store.count,

    async findByPasswordIdentifier(identifier) {
      const identity = await bySpelling(normaliseIdentifier(identifier), (one) => d.store.byIdentifier(PASSWORD, one))
      return identity && { identity, hash: passwordHashOf(identity.credentials) }
    },

    findByIdentifier: (type, identifier) =>
      descriptorOf(type)?.identifiers === 'derived'
        ? bySpelling(normaliseIdentifier(identifier), (one) => d.store.byIdentifier(type, one))
        : d.store.byIdentifier(type, identifier),

    findByAnyIdentifier: (identifier) => bySpelling(normaliseIdentifier(identifier), d.store.byAnyIdentifier),

    findByUserHandle: async (handle) => {
      if (handle.length > 64) return undefined
      const own = handle.length === 16 ? await d.store.byId(formatUuid(handle)) : undefined
      return own ?? d.store.byUserHandle(handle.toString('base64'))
    },

    async findByTraits(schemaId, traits) {
      const derived = d.schemas().get(schemaId)?.derive(traits)
      if (derived?.kind !== 'derived') return undefined
      for (const [type, identifiers] of derived.identifiers) {
        for (const identifier of identifiers) {
          const identity = await d.store.byIdentifier(type, identifier)
          if (identity) return { identity, identifier }
        }
      }
      for (const address of derived.recovery) {
        const owner = await d.addresses.byRecoveryAddress(address)
        if (owner) return { identity: await this.get(owner.id), identifier: address.value }
      }
      return undefined
    },

    async findByRecoveryAddress(via, typed) {
      const value = stored(via, typed)
      const identity = value === undefined ? undefined : await d.addresses.byRecoveryAddress({ via, value })
      return identity && ownerOf(identity, identity.recovery_addresses, { via, value: value! })
    },
    async findByVerifiableAddress(via, typed) {
      const value = stored(via, typed)
      const identity = value === undefined ? undefined : await d.addresses.byVerifiableAddress({ via, value })
      return identity && ownerOf(identity, identity.verifiable_addresses, { via, value: value! })
    },
    noteAddressSent: (id, tx) => d.addresses.noteSent(id, tx),
    verifyAddress: (identityId, address, tx, at = formatTime(d.clock.now())) =>
      d.addresses.verify(identityId, address, at, tx),

    derive(schemaId, traits) {
      const schema = d.schemas().get(schemaId)
      if (!schema) throw schemaUnknown(schemaId)
      return schema.derive(traits)
    },

    ...creation,
    batch: createBatch(creation.create),
    ...changes,
    ...createCredentialChanges({ ...d, buildContext }),
  }
}

const stored = (via: 'email' | 'sms', typed: string) =>
  via === 'email' ? normaliseIdentifier(asciiAddress(typed)) : normalisePhone(typed)

/** By the other form of its domain where no account has this one; both are looked up, so that the time reveals nothing. */
async function bySpelling<T>(value: string, find: (value: string) => Promise<T | undefined>): Promise<T | undefined> {
  const other = otherSpelling(value)
  const found = await find(value)
  const second = other === undefined ? undefined : await find(other)
  return found ?? second
}

function ownerOf(
  identity: FullIdentity,
  addresses: readonly AddressOwner['address'][],
  { via, value }: TraitAddress,
): AddressOwner | undefined {
  const address = addresses.find((one) => one.via === via && one.value === value)
  return address && { identity, address }
}
