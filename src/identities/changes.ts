import type { CodeUse } from '../credentials/descriptor.ts'
import { descriptorOf } from '../credentials/descriptors.ts'
import { firstFactors, firstFactorTypes } from '../credentials/first-factors.ts'
import { newPassword, PASSWORD, passwordHashOf } from '../credentials/password.ts'
import { withAccounts, withoutAccount } from '../credentials/provider-accounts.ts'
import { withoutFactors } from '../credentials/reset.ts'
import { isUuid } from '../kernel/base/uuid.ts'
import { Conflict, NotLocked, type Queryable } from '../kernel/db/client.ts'
import { HttpError } from '../kernel/http/errors.ts'
import type { AddressClaim } from './addresses.ts'
import type { IdentityBody } from './admin/bodies.ts'
import { passwordConfig } from './admin/password-import.ts'
import { patchedDraft } from './admin/patch-document.ts'
import { createCredentialChanges } from './credential-changes.ts'
import { assemble, type BuildContext, type Draft, type DraftCredential } from './draft.ts'
import {
  credentialKept,
  credentialMissing,
  hashUnknown,
  identifierMissing,
  identifierUnknown,
  lastFirstFactor,
  unknownIdentity,
  valueTaken,
} from './failures.ts'
import { changedParts } from './parts.ts'
import type { IdentityServiceDeps } from './service.ts'
import type { FullIdentity, Json, JsonObject } from './types.ts'

type Deps = Omit<IdentityServiceDeps, 'schemas' | 'limits' | 'clock' | 'random'> & { buildContext(): BuildContext }

export function createChanges(d: Deps) {
  const { changeCredentials } = createCredentialChanges(d)

  /** A transaction in which the identity is locked. @throws 404 */
  async function locked<T>(id: string, work: (tx: Queryable) => Promise<T>): Promise<T> {
    if (!isUuid(id)) throw unknownIdentity()
    try {
      return await d.locks.tx({ identity: id }, work)
    } catch (error) {
      throw error instanceof NotLocked ? unknownIdentity() : error
    }
  }

  /** Reads, changes and writes an identity under its lock. */
  async function change(
    id: string,
    edit: (before: FullIdentity) => Draft,
    given?: Queryable | undefined,
  ): Promise<FullIdentity> {
    const work = async (tx: Queryable) => {
      const before = await d.store.lock(tx, id)
      const after = assemble(d.buildContext(), edit(before), before)
      const { old, added } = changedParts(before, after)
      await d.writer.update(tx, before, after)
      await d.writer.replaceParts(tx, id, after.updated_at, old, added)
      if (before.state !== after.state) {
        await (after.state === 'active' ? d.sessions.identityEnabled : d.sessions.identityDisabled)(tx, id)
      }
      await d.notices.changed(before, after, tx)
      return after
    }
    try {
      return await (given ? work(given) : locked(id, work))
    } catch (error) {
      throw error instanceof Conflict ? valueTaken(error) : error
    }
  }

  /** A change by an operator: unlike a change by the owner, it spares no session when the password is another one. */
  function changeByOperator(id: string, edit: (before: FullIdentity) => Draft): Promise<FullIdentity> {
    return locked(id, async (tx) => {
      let hash: string | undefined
      const after = await change(
        id,
        (before) => {
          hash = passwordHashOf(before.credentials)
          return edit(before)
        },
        tx,
      )
      if (passwordHashOf(after.credentials) !== hash) await d.sessions.passwordSetByOperator(tx, id)
      return after
    })
  }

  return {
    async update(id: string, body: IdentityBody): Promise<FullIdentity> {
      // The password is hashed before the transaction begins, so that no connection waits for it.
      if (!isUuid(id) || !(await d.store.byId(id))) throw unknownIdentity()
      const config = body.password && (await passwordConfig(d.hasher, body.password))
      return changeByOperator(id, (before) => {
        const draft = asDraft(before)
        return {
          ...draft,
          traits: body.traits,
          metadata_public: body.metadata_public,
          metadata_admin: body.metadata_admin,
          schema_id: body.schema_id ?? before.schema_id,
          state: body.state ?? before.state,
          external_id: body.external_id,
          credentials: withAccounts(config ? withPassword(draft, config) : draft.credentials, body.accounts),
        }
      })
    },

    patch: (id: string, patch: Json | undefined): Promise<FullIdentity> =>
      changeByOperator(id, (before) => {
        // The document to patch holds no tokens of providers.
        const types = before.credentials.flatMap(({ type }) => (descriptorOf(type)?.provider ? [] : type))
        const draft = patchedDraft(before, d.answers.toAdmin(before, types), patch)
        const hash = passwordHashOf(draft.credentials)
        if (hash !== undefined && !d.hasher.knows(hash)) throw hashUnknown()
        return draft
      }),

    updateTraits: (id: string, traits: Json, tx?: Queryable): Promise<FullIdentity> =>
      change(id, (before) => ({ ...asDraft(before), traits }), tx),

    amend: (id: string, amendment: Amendment, tx?: Queryable): Promise<FullIdentity> =>
      change(id, (before) => amended(asDraft(before), amendment), tx),

    setPassword: (id: string, hash: string, tx?: Queryable): Promise<FullIdentity> =>
      change(
        id,
        (before) => {
          const draft = asDraft(before)
          return { ...draft, credentials: withPassword(draft, { hashed_password: hash }) }
        },
        tx,
      ),

    async replacePasswordHash(
      id: string,
      hashes: { from: string; to: string },
      tx: Queryable = d.db,
    ): Promise<boolean> {
      return d.writer.replaceHash(tx, id, hashes, d.buildContext().now)
    },

    async remove(id: string, erase = false): Promise<void> {
      const removed = locked(id, async (tx) => {
        const before = await d.store.lock(tx, id)
        await d.sessions.endSessionsOf(tx, id, 'identity_deleted')
        if (erase) await d.erasure.begin(id, namesOf(before), tx)
        await d.writer.remove(tx, id)
      })
      await removed.catch(async (error: unknown) => {
        const isGone = error instanceof HttpError && error.status === 404
        if (!erase || !isGone || !isUuid(id) || !(await d.erasure.ofDeleted(id))) throw error
      })
    },

    async removeCredential(id: string, type: string, identifier: string = ''): Promise<void> {
      await changeByOperator(id, (before) => {
        const draft = asDraft(before)
        return { ...draft, credentials: withoutCredential(before, draft.credentials, { type, identifier }, d.codes()) }
      })
    },

    resetFactors: (id: string, passkeys: boolean): Promise<FactorReset> =>
      locked(id, async (tx) => {
        let removed: string[] = []
        const edit = ({ credentials }: FullIdentity) => {
          const left = withoutFactors(credentials, { passkeys })
          removed = left.removed
          return left.credentials
        }
        await changeCredentials(id, edit, tx)
        return { removed, ended: await d.sessions.factorsReset(tx, id) }
      }),
  }
}

/** Identifiers and addresses that identify the person in rows that belong to no identity yet. */
const namesOf = ({ credentials, verifiable_addresses, recovery_addresses }: FullIdentity): string[] => [
  ...credentials
    .filter(({ type }) => descriptorOf(type)?.identifiers === 'derived')
    .flatMap(({ identifiers }) => identifiers),
  ...[...verifiable_addresses, ...recovery_addresses].map(({ value }) => value),
]

/** `removed`: types of credentials. `ended`: ids of sessions */
export interface FactorReset {
  removed: string[]
  ended: string[]
}

/** What an operator or a web hook changes in an identity, beside its credentials. */
export interface Amendment {
  traits?: JsonObject
  schema_id?: string
  state?: Draft['state']
  metadata_public?: Json
  metadata_admin?: Json
  external_id?: string | null
  verifiable_addresses?: AddressClaim[]
}

function amended(draft: Draft, { verifiable_addresses: claims, ...given }: Amendment): Draft {
  return { ...draft, ...given, ...(claims === undefined ? {} : { verifiable: claims }) }
}

function withoutCredential(
  before: FullIdentity,
  drafts: DraftCredential[],
  { type, identifier }: { type: string; identifier: string },
  codes: CodeUse,
): DraftCredential[] {
  const target = before.credentials.find((credential) => credential.type === type)
  if (!target) throw credentialMissing(type)
  const descriptor = descriptorOf(type)
  if (!descriptor?.removable) throw credentialKept(type)
  const { removable } = descriptor
  if (typeof removable === 'function') {
    return drafts.map((draft) => (draft.type === type ? { ...draft, config: removable(draft.config) } : draft))
  }
  if (removable === 'entry') {
    if (firstFactors(before, codes) < 2) throw lastFirstFactor()
    if (identifier === '') throw identifierMissing()
    if (!target.identifiers.includes(identifier)) throw identifierUnknown(type, identifier)
    return drafts.flatMap((draft) => (draft.type === type ? (withoutAccount(draft, identifier) ?? []) : draft))
  }
  if (descriptor.firstFactor && firstFactorTypes(before, codes).length < 2) throw lastFirstFactor()
  if (removable === 'row') return without(drafts, type)
  return drafts.map((draft) => (draft.type === type ? { ...draft, config: {} } : draft))
}

const withPassword = ({ credentials }: Draft, config: JsonObject) => [
  ...without(credentials, PASSWORD),
  newPassword(config),
]

const without = (credentials: readonly DraftCredential[], type: string) =>
  credentials.filter((credential) => credential.type !== type)

/** The identity as a draft: assembling it unchanged changes nothing. */
function asDraft(before: FullIdentity): Draft {
  return { ...before, verifiable: before.verifiable_addresses }
}
