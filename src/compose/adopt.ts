import { createWatchLookout, type WatchLookout } from '../adopt/watch/lookout.ts'
import { watchState } from '../adopt/watch/state.ts'
import { readWatch } from '../adopt/watch/store.ts'
import type { Base } from './environment.ts'

/** On a database shared with Kratos: whether what it does is still seen. */
export function composeAdopt({ db, log, meta, clock }: Base): { watch: WatchLookout | undefined } {
  if (meta.kind !== 'adopted') return { watch: undefined }
  const read = async () => watchState(await readWatch(db))
  return { watch: createWatchLookout({ read, log, now: () => clock.now() / 1000 }) }
}
