import type { BackgroundWork } from '../kernel/background/loop.ts'
import { composeAdopt } from './adopt.ts'
import { composeCourier } from './courier.ts'
import { composeBase, type Environment } from './environment.ts'
import { composeEvents } from './events.ts'
import { composeFlowParts } from './flows.ts'
import { composeIdentities } from './identities.ts'
import { composeLogin } from './login.ts'
import { composeLogout } from './logout.ts'
import { composeMaintenance } from './maintenance.ts'
import { composeMethods } from './methods.ts'
import { composeProviderCallback, composeProviders } from './providers.ts'
import { composeRecovery } from './recovery.ts'
import { composeRegistration } from './registration.ts'
import { composeSessions } from './sessions.ts'
import { composeSettings } from './settings.ts'
import { composeVerification } from './verification.ts'
import { composeWeb } from './web.ts'

export type Deps = ReturnType<typeof createDeps>

/** Builds every service once: one line a feature, after what it needs. No other file decides what depends on what. */
export function createDeps(env: Environment) {
  const base = composeBase(env)
  const web = composeWeb(base)
  const sessions = composeSessions(base, web)
  const courier = composeCourier(base)
  const identities = composeIdentities(base, sessions, courier)
  const events = composeEvents(base, sessions)
  const maintenance = composeMaintenance(base, events, sessions.sessionRules, identities.erasure)
  const adopt = composeAdopt(base)
  const logout = composeLogout(base, sessions)
  const parts = join(base, web, sessions, identities, courier, composeFlowParts(base))
  const providers = composeProviders(parts)
  const verification = composeVerification(parts)
  const flows = join(parts, providers, verification, composeMethods({ ...parts, ...providers }))
  const login = composeLogin(flows)
  const registration = composeRegistration(flows, events.refusedRegistrations)
  const settings = composeSettings(flows)
  const recovery = composeRecovery(flows, settings)
  const callback = composeProviderCallback({ ...flows, ...login, ...registration, ...settings })

  const shared = env.meta.kind === 'adopted'
  const background: BackgroundWork[] = [
    sessions.lastSeen,
    ...(shared ? [maintenance.reactivated] : []),
    ...adopt.watchWork,
    maintenance.collector,
    events.webhookDelivery,
    ...(env.watchCourier || env.dev ? [courier.courierWorker] : []),
    parts.hookCalls,
  ]
  return join(flows, events, maintenance, adopt, logout, login, registration, settings, recovery, callback, {
    background,
  })
}

type Joined<T extends object[]> = T extends [infer First, ...infer Rest extends object[]]
  ? First & Joined<Rest>
  : unknown

/** @throws Error when two features give the same name: the later one would silently replace the other */
export function join<const T extends object[]>(...features: T): Joined<T> {
  const names = new Set<string>()
  for (const name of features.flatMap((feature) => Object.keys(feature))) {
    if (names.has(name)) throw new Error(`two features provide ${name}`)
    names.add(name)
  }
  return Object.assign({}, ...features)
}
