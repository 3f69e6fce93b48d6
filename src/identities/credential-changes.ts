import { availableAal } from '../credentials/available-aal.ts'
import type { Queryable } from '../kernel/db/client.ts'
import { Conflict } from '../kernel/db/client.ts'
import type { BuildContext, DraftCredential } from './draft.ts'
import { valueTaken } from './failures.ts'
import { changedParts } from './parts.ts'
import { equal } from './schema/node.ts'
import type { IdentityServiceDeps } from './service.ts'
import type { FullIdentity, StoredCredential } from './types.ts'

type Deps = Pick<IdentityServiceDeps, 'store' | 'writer' | 'notices'> & { buildContext(): BuildContext }

/** Changes of credentials. Traits are not checked: a change of the schema must not keep owners from them. */
export function createCredentialChanges(d: Deps) {
  return {
    /** Reads, changes and writes the credentials of an identity under its lock. */
    async changeCredentials(
      id: string,
      edit: (before: FullIdentity) => readonly DraftCredential[],
      tx: Queryable,
    ): Promise<FullIdentity> {
      const { now, newId, codes } = d.buildContext()
      const before = await d.store.lock(tx, id)
      const credentials = edit(before).map((draft): StoredCredential => {
        const known = before.credentials.find(({ type }) => type === draft.type)
        if (known && isSame(known, draft)) return known
        return { ...draft, id: newId(), created_at: known?.created_at ?? now, updated_at: now }
      })
      const after = { ...before, credentials, available_aal: availableAal(credentials, codes), updated_at: now }
      const { old, added } = changedParts(before, after)
      try {
        await d.writer.update(tx, before, after)
        await d.writer.replaceParts(tx, id, now, old, added)
      } catch (error) {
        throw error instanceof Conflict ? valueTaken(error) : error
      }
      await d.notices.changed(before, after, tx)
      return after
    },

    async correctAvailableAal(id: string, tx: Queryable): Promise<FullIdentity | undefined> {
      const { now, codes } = d.buildContext()
      const before = await d.store.lock(tx, id)
      const aal = availableAal(before.credentials, codes)
      if (aal === before.available_aal) return undefined
      const after = { ...before, available_aal: aal, updated_at: now }
      await d.writer.update(tx, before, after)
      return after
    },

    replaceConfig: (id: string, change: ConfigChange, tx: Queryable) =>
      d.writer.replaceConfig(tx, id, change, d.buildContext().now),

    holdConfig: (id: string, held: Pick<ConfigChange, 'type' | 'from'>, tx: Queryable) =>
      d.writer.holdConfig(tx, id, held),
  }
}

/** The config of one credential, before and after. */
export interface ConfigChange extends Pick<StoredCredential, 'type'> {
  from: StoredCredential['config']
  to: StoredCredential['config']
}

export const without = (all: readonly DraftCredential[], type: string): DraftCredential[] =>
  all.filter((credential) => credential.type !== type)

/** All credentials, with this one replaced or added. */
export const withCredential = (all: readonly DraftCredential[], one: DraftCredential): DraftCredential[] => [
  ...without(all, one.type),
  one,
]

const isSame = (known: StoredCredential, draft: DraftCredential) =>
  known.version === draft.version &&
  equal([...known.identifiers].sort(), [...draft.identifiers].sort()) &&
  equal(known.config, draft.config)
