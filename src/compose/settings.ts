import { createSettingsFlow } from '../flows/settings/flow.ts'
import { createPendingForms } from '../flows/settings/pending.ts'
import { createSettingsStore } from '../flows/settings/store.ts'
import type { FlowParts } from './flows.ts'

export type Settings = ReturnType<typeof composeSettings>

export function composeSettings(d: FlowParts) {
  const settings = createSettingsFlow({
    config: d.config,
    clock: d.clock,
    random: d.random,
    hasher: d.hasher,
    schemas: d.schemas,
    sessions: d.sessions,
    identities: d.identities,
    locks: d.locks,
    urls: d.flowUrls,
    breaches: d.breaches,
    secondFactorUrl: d.secondFactorUrl,
    store: createSettingsStore(d.db, d.meta.nid),
  })
  return { settings, pending: createPendingForms(d) }
}
