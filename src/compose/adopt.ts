import { createWatchLookout, type WatchLookout } from '../adopt/watch/lookout.ts'
import { createWatchPoller } from '../adopt/watch/poller.ts'
import { watchState } from '../adopt/watch/state.ts'
import { readWatch } from '../adopt/watch/store.ts'
import { alone, compare, isPolled, PAGE } from '../adopt/watch/store-poll.ts'
import type { BackgroundWork } from '../kernel/background/loop.ts'
import { formatTime } from '../kernel/base/clock.ts'
import type { Base } from './environment.ts'

export interface Adopt {
  watch: WatchLookout | undefined
  watchWork: BackgroundWork[]
}

/** On a database shared with Kratos: whether Kratos's writes are still seen, and the comparison where that is how they are seen. */
export function composeAdopt({ db, log, meta, clock }: Base): Adopt {
  if (meta.kind !== 'adopted') return { watch: undefined, watchWork: [] }
  const now = () => clock.now() / 1000
  const watch = createWatchLookout({ read: async () => watchState(await readWatch(db)), log, now })
  const poller = createWatchPoller({
    isPolled: () => isPolled(db),
    compare: async () => void (await alone(db, () => compare(db, meta.nid, formatTime(clock.now()), PAGE))),
    now,
    log,
  })
  return { watch, watchWork: [watch, poller] }
}
