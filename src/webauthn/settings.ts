import type { CodeUse } from '../credentials/descriptor.ts'
import { refused } from '../flows/refused.ts'
import { endSessionsOnFactorChange, type FactorChangeDeps } from '../flows/settings/factor-change.ts'
import type { Change, SettingsRequest } from '../flows/settings/method.ts'
import type { UiMessage, UiNode } from '../flows/types.ts'
import type { IdentityService } from '../identities/service.ts'
import type { FullIdentity, StoredCredential } from '../identities/types.ts'
import type { Proof, SessionService } from '../sessions/service.ts'
import type { Session } from '../sessions/types.ts'
import { locksOut, ringOf, withKey, withoutKey } from './enrol.ts'
import type { Key } from './keys.ts'
import { keyMessages } from './messages.ts'
import { removeButton } from './nodes.ts'
import type { KeyPartyStore } from './store.ts'

export interface KeyChangeDeps extends FactorChangeDeps {
  identities: Pick<IdentityService, 'changeCredentials'>
  sessions: Pick<SessionService, 'raise' | 'revokeAllOf'>
  keyParties: Pick<KeyPartyStore, 'note'>
}

interface Owner {
  id: string
  credentials: readonly StoredCredential[]
}

/** One for each key; disabled where its removal would lock the owner out. */
export function removeButtons(
  owner: Owner,
  look: { type: string; name: string; label(key: Key): UiMessage },
  codes: CodeUse,
): UiNode[] {
  return ringOf(owner.credentials, look.type, owner.id).keys.map((key) => {
    const rest = withoutKey(owner, look.type, key.id.toString('hex'))
    return removeButton(
      look.type,
      look.name,
      key.id,
      look.label(key),
      rest !== undefined && locksOut(owner.credentials, rest, codes),
    )
  })
}

interface AddedKey {
  type: string
  key: Key
  userHandle: Buffer
  rpId: string
  /** By which the credential is found, of the identity under its lock: another form may have changed it meanwhile. */
  identifiersOf(before: FullIdentity): readonly string[]
}

/** @param authentication the proof that its owner has given */
export function addKey(
  d: KeyChangeDeps,
  session: Session,
  added: AddedKey,
  authentication: Proof['authentication'],
): Change {
  return {
    kind: 'change',
    needsPrivilege: () => true,
    async write(tx) {
      const edit = (before: FullIdentity) =>
        withKey(before, added.type, { ...added, identifiers: added.identifiersOf(before) })
      const changed = await d.identities.changeCredentials(session.identity_id, edit, tx)
      await d.keyParties.note({ identityId: session.identity_id, id: added.key.id, rpId: added.rpId }, tx)
      await d.sessions.raise(session, { authentication }, tx)
      await endSessionsOnFactorChange(d, session, tx)
      return changed
    },
  }
}

/** @throws FormRefused for an unknown key, and for the last first factor */
export async function removeKey(
  d: KeyChangeDeps,
  { session, account }: SettingsRequest,
  which: { type: string; hexId: string; missing: UiMessage },
): Promise<Change> {
  const edit = (owner: Owner) => {
    const rest = withoutKey(owner, which.type, which.hexId)
    if (!rest) throw refused(which.missing)
    // Kratos uses this input for keys of either kind.
    if (locksOut(owner.credentials, rest, d.config().selfservice.methods.code))
      throw refused(keyMessages.lastWayIn, 'webauthn_remove')
    return rest
  }
  edit(await account())
  return {
    kind: 'change',
    needsPrivilege: () => true,
    async write(tx) {
      const changed = await d.identities.changeCredentials(session.identity_id, edit, tx)
      await endSessionsOnFactorChange(d, session, tx)
      return changed
    },
  }
}
