import { typesWhere } from '../credentials/descriptors.ts'
import { firstFactorTypes } from '../credentials/first-factors.ts'
import { createSettingsFlow } from '../flows/settings/flow.ts'
import { createPendingForms } from '../flows/settings/pending.ts'
import { createSettingsStore } from '../flows/settings/store.ts'
import { codesOf } from '../methods/lookup_secret/codes.ts'
import type { OwnCredentials } from '../ui/pages.ts'
import { removedKeysOf } from '../webauthn/removed.ts'
import { createKeyPartyStore } from '../webauthn/store.ts'
import type { FlowParts } from './flows.ts'
import type { Methods } from './methods.ts'
import type { Verification } from './verification.ts'

const KEY_TYPES = typesWhere(({ holdsKeys }) => holdsKeys)

export type Settings = ReturnType<typeof composeSettings>

export function composeSettings(d: FlowParts & Methods & Verification) {
  const settings = createSettingsFlow({
    config: d.config,
    clock: d.clock,
    random: d.random,
    db: d.db,
    schemas: d.schemas,
    sessions: d.sessions,
    identities: d.identities,
    identityAnswer: d.identityAnswer,
    locks: d.locks,
    urls: d.flowUrls,
    hooks: d.hooks,
    verification: d.verification,
    methods: d.settingsMethods,
    secondFactorUrl: d.secondFactorUrl,
    store: createSettingsStore(d.db, d.meta.nid),
  })
  const keyParties = createKeyPartyStore(d.db)
  const ownCredentials: OwnCredentials = async (identityId) => {
    const identity = await d.identities.get(identityId)
    const { credentials } = identity
    const { codes } = codesOf(credentials)
    return {
      signIn: firstFactorTypes({ credentials }, d.config().selfservice.methods.code),
      backupCodes: codes.length === 0 ? undefined : codes.filter(({ used_at }) => used_at === null).length,
      removedKeys: () => removedKeysOf({ keyParties }, identity, KEY_TYPES),
    }
  }
  return { settings, pending: createPendingForms(d), ownCredentials }
}
