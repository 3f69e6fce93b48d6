import { createVerificationFlow } from '../flows/verification/flow.ts'
import { createSendVerificationAgain } from '../flows/verification/send-again.ts'
import { createVerificationStore } from '../flows/verification/store.ts'
import { createVerificationCodeStore } from '../methods/code/store-verification.ts'
import { codeVerification } from '../methods/code/verification.ts'
import { createVerificationLinkStore } from '../methods/link/store.ts'
import { linkVerification } from '../methods/link/verification.ts'
import type { FlowParts } from './flows.ts'
import { selfServiceUrl } from './web.ts'

export type Verification = ReturnType<typeof composeVerification>

export function composeVerification(d: FlowParts) {
  const { config, clock, random, db } = d
  const { nid } = d.meta
  const store = createVerificationStore(db, nid)
  const code = codeVerification({
    config,
    clock,
    random,
    identities: d.identities,
    secrets: d.cookieSecrets,
    codes: createVerificationCodeStore(db, nid),
    courier: d.courier,
    identityAnswer: d.identityAnswer,
    submissions: store,
    linkTo: (query) => selfServiceUrl(d.baseUrls.public(), 'verification', query),
  })
  const link = linkVerification({
    config,
    clock,
    random,
    identities: d.identities,
    secrets: d.cookieSecrets,
    links: createVerificationLinkStore(db, nid),
    courier: d.courier,
    identityAnswer: d.identityAnswer,
    linkTo: (query) => selfServiceUrl(d.baseUrls.public(), 'verification', query),
  })
  const parts = {
    config,
    clock,
    random,
    db,
    store,
    locks: d.locks,
    urls: d.flowUrls,
    hooks: d.hooks,
    identityAnswer: d.identityAnswer,
    identities: d.identities,
    sessions: d.sessions,
    oauth2: d.oauth2,
    methods: [code, link],
  }
  return {
    verification: createVerificationFlow(parts),
    sendVerificationAgain: createSendVerificationAgain(parts),
  }
}
