import type { Logger } from '../../kernel/base/log.ts'
import type { EpochChange } from './high-water-mark.ts'
import { formatPosition } from './position.ts'
import type { EpochReason } from './store-marks.ts'

export interface EpochLogDeps {
  log: Pick<Logger, 'warn' | 'info'>
  /** for metrics */
  onEpoch(reason: EpochReason): void
}

const WORDS: Record<EpochReason, string> = {
  first: 'the log of events has its first epoch',
  server_started: 'the database server was started anew: a new epoch of the log of events',
  promoted: 'another database server was promoted: a new epoch of the log of events',
  went_back:
    'THE DATABASE WENT BACK IN TIME: it knows nothing of a state that this node has seen. Ends of sessions that were acknowledged may be undone; see "When the database goes back" in docs/events.md',
}

/** Logs that another epoch counts, and whether events that were sent are lost. */
export function tellEpoch(d: EpochLogDeps): (change: EpochChange) => void {
  return ({ before, epoch, reason, timeline, continuesAfter, lost }) => {
    // an epoch that was there at the start has been logged by the nodes that saw it begin
    if (before === undefined) return
    d.onEpoch(reason)
    const details = {
      epoch,
      reason,
      timeline,
      place_before: formatPosition(before),
      continues_after: formatPosition({ epoch, seq: continuesAfter }),
    }
    const loss = lost ? '; events after that position are lost or sent again, and followers get a gap' : ''
    if (lost || reason === 'went_back') d.log.warn(details, `${WORDS[reason]}${loss}`)
    else d.log.info(details, WORDS[reason])
  }
}
