import { createCollector } from '../maintenance/collector.ts'
import { createReactivatedWatch } from '../maintenance/reactivated.ts'
import { createGc } from '../maintenance/service.ts'
import { createGcStore } from '../maintenance/store.ts'
import type { Base } from './environment.ts'
import type { Events } from './events.ts'

/** Clean-up; on a database shared with Kratos only of what is Lethe's own. */
export function composeMaintenance(d: Base, { deleteOldEvents }: Pick<Events, 'deleteOldEvents'>) {
  const { config, clock, db, log, meta } = d
  const shared = meta.kind === 'adopted'
  const store = createGcStore(db, meta.nid, shared)
  const gc = createGc({ store, clock, onEnded: d.metrics.sessionsEnded })
  return {
    gc,
    collector: createCollector({ config, clock, db, gc, log, deletes: !shared, deleteOldEvents }),
    reactivated: createReactivatedWatch({ clock, store, log }),
  }
}
