import { createCollector } from '../maintenance/collector.ts'
import type { Erasure } from '../maintenance/erasure.ts'
import { createReactivatedWatch } from '../maintenance/reactivated.ts'
import { createGc } from '../maintenance/service.ts'
import { createGcStore } from '../maintenance/store.ts'
import type { SessionRules } from '../sessions/rules.ts'
import type { Base } from './environment.ts'
import type { Events } from './events.ts'

/** Clean-up; on a database shared with Kratos only of Lethe's own tables. */
export function composeMaintenance(
  d: Base,
  { deleteOldEvents }: Pick<Events, 'deleteOldEvents'>,
  rules: SessionRules,
  erasure: Erasure,
) {
  const { config, clock, db, log, meta } = d
  const shared = meta.kind === 'adopted'
  const store = createGcStore(db, meta.nid, shared, rules)
  const gc = createGc({ store, clock, rules, onEnded: d.metrics.sessionsEnded })
  return {
    gc,
    collector: createCollector({
      config,
      clock,
      store,
      gc,
      log,
      deletes: !shared,
      deleteOldEvents,
      erase: erasure.finish,
    }),
    reactivated: createReactivatedWatch({ clock, store, log }),
  }
}
