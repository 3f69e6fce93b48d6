import { newPassword } from '../credentials/password.ts'
import { withAccounts } from '../credentials/provider-accounts.ts'
import { Conflict, type Queryable } from '../kernel/db/client.ts'
import type { AddressClaim } from './addresses.ts'
import type { IdentityBody } from './admin/bodies.ts'
import { passwordConfig } from './admin/password-import.ts'
import { assemble, type BuildContext, type Draft, type DraftCredential } from './draft.ts'
import { identityTaken } from './failures.ts'
import type { IdentityServiceDeps } from './service.ts'
import type { FullIdentity, Identity, Json } from './types.ts'

/** A credential of a new identity. */
export type NewCredential = Omit<DraftCredential, 'created_at'>

/** A registration; traits and credentials have been checked by the form. */
export interface Registration {
  schemaId: string
  traits: Json
  credentials: readonly NewCredential[]
  /** if it was chosen before; else a new one */
  id?: string
  state?: Identity['state']
  metadata_public?: Json
  metadata_admin?: Json
  external_id?: string | null
  /** facts about addresses of the traits, e.g. that one is verified already */
  verifiable?: AddressClaim[]
}

type Deps = Pick<IdentityServiceDeps, 'db' | 'writer' | 'hasher'> & { buildContext(): BuildContext }

export function createCreation(d: Deps) {
  async function insert(draft: Draft, on: Queryable): Promise<FullIdentity> {
    const identity = assemble(d.buildContext(), draft, undefined)
    await d.writer.insert(on, identity)
    return identity
  }

  return {
    async create(body: IdentityBody, tx: Queryable = d.db): Promise<FullIdentity> {
      const context = d.buildContext()
      const draft = newDraft(body, body.schema_id ?? context.schemas.default.id)
      assemble(context, draft, undefined) // before the hash, which costs a third of a second
      if (body.password) draft.credentials = [newPassword(await passwordConfig(d.hasher, body.password))]
      draft.credentials = withAccounts(draft.credentials, body.accounts)
      return insert(draft, tx).catch(taken)
    },

    register: (input: Registration, tx: Queryable = d.db): Promise<FullIdentity> =>
      insert(registrationDraft(input), tx),

    prepare: (input: Registration): FullIdentity => assemble(d.buildContext(), registrationDraft(input), undefined),
  }
}

function registrationDraft({ schemaId, credentials, id, ...given }: Registration): Draft {
  const draft = newDraft({ ...EMPTY, ...given }, schemaId)
  return { ...draft, ...(id === undefined ? {} : { id }), credentials: [...credentials] }
}

const EMPTY = {
  state: undefined,
  metadata_public: null,
  metadata_admin: null,
  external_id: null,
  organization_id: null,
  verifiable: [],
}

function newDraft(body: Omit<IdentityBody, 'schema_id' | 'password' | 'accounts'>, schemaId: string): Draft {
  const { traits, state = 'active', metadata_public, metadata_admin, external_id, organization_id, verifiable } = body
  return {
    schema_id: schemaId,
    traits,
    state,
    metadata_public,
    metadata_admin,
    external_id,
    organization_id,
    verifiable,
    credentials: [],
  }
}

function taken(error: unknown): never {
  throw error instanceof Conflict ? identityTaken(error) : error
}
