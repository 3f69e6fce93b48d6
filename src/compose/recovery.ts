import { createRecoveryFlow } from '../flows/recovery/flow.ts'
import { createHandOut } from '../flows/recovery/hand-out.ts'
import { createRecoveryStore } from '../flows/recovery/store.ts'
import { codeRecovery } from '../methods/code/recovery.ts'
import { codeSettings } from '../methods/code/settings.ts'
import { createRecoveryCodeStore } from '../methods/code/store-recovery.ts'
import { linkRecovery } from '../methods/link/recovery.ts'
import { createRecoveryLinkStore } from '../methods/link/store.ts'
import { linkLifespanMs } from '../methods/link/token.ts'
import type { FlowParts } from './flows.ts'
import type { Settings } from './settings.ts'
import { selfServiceUrl } from './web.ts'

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
    pageOf: (flowId) => d.flowUrls.page('recovery', flowId),
    countSubmission: store.countSubmission,
  })
  const link = linkRecovery({
    config,
    clock,
    random,
    identities,
    secrets: d.cookieSecrets,
    links: createRecoveryLinkStore(db, nid),
    courier: d.courier,
    identityAnswer: d.identityAnswer,
    linkTo: (query) => selfServiceUrl(d.baseUrls.public(), 'recovery', query),
  })
  const methods = [code, link]
  const handOutRecovery = createHandOut({
    config,
    clock,
    random,
    db,
    store,
    identities,
    methods,
    sessions: d.sessions,
    urls: d.flowUrls,
    hooks: d.hooks,
    lifespanMs: (id) => ({ code: codeSettings(config()).lifespanMs, link: linkLifespanMs(config()) })[id],
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
    hooks: d.hooks,
    identityAnswer: d.identityAnswer,
    methods,
  })
  return { recovery, handOutRecovery, continuesWith: () => config().feature_flags.use_continue_with_transitions }
}
