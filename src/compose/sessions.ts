import { createIdentityLocks } from '../identities/store-locks.ts'
import { formatTime } from '../kernel/base/clock.ts'
import { createLimiter } from '../kernel/db/limiter.ts'
import { createHandOver } from '../sessions/hand-over.ts'
import { createRequireSession } from '../sessions/http/require-session.ts'
import { createLastSeen } from '../sessions/last-seen.ts'
import { createSessionManagement } from '../sessions/lists/admin-sessions.ts'
import { createEndedSessions } from '../sessions/lists/ended-sessions.ts'
import { createOwnSessions } from '../sessions/lists/own-sessions.ts'
import { createSessionListStore } from '../sessions/lists/store.ts'
import { createEndedSessionStore } from '../sessions/lists/store-ended.ts'
import { createSessionManageStore } from '../sessions/lists/store-manage.ts'
import { createSessionRules } from '../sessions/rules.ts'
import { createSessions } from '../sessions/service.ts'
import { createSessionStore } from '../sessions/store.ts'
import { createSessionHotStore } from '../sessions/store-hot.ts'
import { createTokenizer } from '../tokens/service.ts'
import type { Base } from './environment.ts'
import type { Web } from './web.ts'

export type Sessions = ReturnType<typeof composeSessions>

export function composeSessions(d: Base, { credentials, secondFactorUrl, freshProofUrl }: Web) {
  const { config, clock, random, db, log, meta, identityAnswers, identityAnswer, baseUrls, tokenTemplates } = d
  const { nid, tokens, serverSecret } = meta
  const shared = meta.kind === 'adopted'
  const { sessionsEnded: onEnded, batch: onBatch } = d.metrics
  const lockWaits = createLimiter(db)
  const locks = createIdentityLocks(db, nid, lockWaits)
  const rules = createSessionRules(config)
  const store = createSessionStore(db, nid, shared, rules)
  const list = createSessionListStore(db, nid, rules)
  const manage = createSessionManageStore(lockWaits, nid, shared, onEnded, rules)
  const now = () => formatTime(clock.now())
  const hot = createSessionHotStore(db, nid, { shared, lockWaits, onBatch, onEnded, now, rules })
  const lastSeen = createLastSeen({ db, clock, rules, log })
  const sessions = createSessions({
    config,
    clock,
    random,
    store,
    locks,
    hot,
    rules,
    lastSeen,
    onEnded,
    tokens,
    shared,
    serverSecret,
    identityAnswers,
  })
  return {
    locks,
    sessions,
    sessionRules: rules,
    lastSeen,
    handOver: createHandOver({ clock, random, store, locks, tokens, shared }),
    requireSession: createRequireSession({ sessions, credentials, secondFactorUrl, freshProofUrl }),
    ownSessions: createOwnSessions({ clock, sessions, list, identityAnswer }),
    endedSessions: createEndedSessions({ clock, sessions, rules, store: createEndedSessionStore(db, nid, rules) }),
    sessionManagement: createSessionManagement({ config, clock, store, list, locks, manage, identityAnswer }),
    tokenizer: createTokenizer({ tokenTemplates, baseUrls, clock, random }),
  }
}
