import { formatTime, SECOND, type Timestamp } from '../../kernel/base/clock.ts'
import type { HighWaterMark, Mark } from '../log/high-water-mark.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'

/** How far the log and its receivers are. Times and ages of the log are by the clock of the database. */
export interface EventStatus {
  epoch: string
  epoch_number: number
  /** no event can appear at or below this position any more */
  position: number
  newest: number
  /** everything committed before this time is at or below `position` */
  complete_up_to: Timestamp
  /** upper bound: events that are held back */
  behind_events: number
  behind_seconds: number
  oldest_transaction: OldestTransaction | null
  receivers: ReceiverStatus[]
}

/** Of the transactions that may still write to the log, the oldest. Members that this role may not see are null. */
export interface OldestTransaction {
  pid: number | null
  application: string | null
  since: Timestamp | null
  age_seconds: number | null
}

export interface ReceiverStatus {
  id: string
  /** upper bound: events that it does not want count until its position has passed them */
  lag_events: number
  /** age of the oldest undelivered event; 0 when there is none */
  lag_seconds: number
  pending: number
  dead: number
}

/** For operators. Asks the database, since without readers the last mark may be old. @throws StoreUnavailable */
export function createEventStatus(d: { highWaterMark: HighWaterMark; webhooks: Pick<Webhooks, 'list'> }) {
  return async (): Promise<EventStatus> => {
    // the receivers first: otherwise one that has moved on since would seem to be ahead of the log
    const receivers = await d.webhooks.list()
    const mark = await d.highWaterMark.advance()
    const { epoch, number, seq, newest, completeAt, readAt } = mark
    return {
      epoch,
      epoch_number: number,
      position: seq,
      newest,
      complete_up_to: formatTime(completeAt),
      behind_events: newest - seq,
      behind_seconds: (readAt - completeAt) / SECOND,
      oldest_transaction: oldestOf(mark),
      receivers: receivers.map(({ id, pending, dead, position, lag_seconds }) => {
        const lag_events = pending + Math.max(0, newest - position)
        return { id, lag_events, lag_seconds, pending, dead }
      }),
    }
  }
}

function oldestOf({ writers, readAt }: Mark): OldestTransaction | null {
  // one whose beginning this role may not see comes last
  const age = ({ since }: Mark['writers'][number]) => (since === null ? -1 : Math.max(0, readAt - since))
  const [oldest] = writers.toSorted((a, b) => age(b) - age(a))
  if (oldest === undefined) return null
  const { pid, application, since } = oldest
  if (since === null) return { pid, application, since, age_seconds: null }
  return { pid, application, since: formatTime(since), age_seconds: age(oldest) / SECOND }
}
