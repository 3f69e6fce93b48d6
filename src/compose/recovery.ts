import { createRecoveryFlow } from '../flows/recovery/flow.ts'
import { createRecoveryStore } from '../flows/recovery/store.ts'
import { codeRecovery } from '../methods/code/recovery.ts'
import { createRecoveryCodeStore } from '../methods/code/store-recovery.ts'
import type { FlowParts } from './flows.ts'
import type { Settings } from './settings.ts'

export function composeRecovery(d: FlowParts, { settings }: Settings) {
  const { config, clock, random, db, identities } = d
  const { nid } = d.meta
  const store = createRecoveryStore(db, nid)
  const code = codeRecovery({
    config,
    clock,
    random,
    identities,
    secrets: d.cookieSecrets,
    codes: createRecoveryCodeStore(db, nid),
    courier: d.courier,
    identityAnswer: d.identityAnswer,
    countSubmission: store.countSubmission,
  })
  const recovery = createRecoveryFlow({
    config,
    clock,
    random,
    db,
    store,
    identities,
    settings,
    sessions: d.sessions,
    locks: d.locks,
    urls: d.flowUrls,
    methods: [code],
  })
  return { recovery, continuesWith: () => config().feature_flags.use_continue_with_transitions }
}
