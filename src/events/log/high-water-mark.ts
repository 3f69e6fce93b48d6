import { setTimeout as sleep } from 'node:timers/promises'
import { type Micros, parseTime, SECOND } from '../../kernel/base/clock.ts'
import type { LogPosition, Position } from './position.ts'
import type { Candidate, EpochReason, MarkRow, MarkStore, OpenWriter } from './store-marks.ts'

/** Up to where the log is complete. All times are by the clock of the database. */
export interface Mark extends LogPosition {
  /** no event can appear at or below this position any more */
  seq: number
  /** everything committed before this time is at or below `seq` */
  completeAt: Micros
  /** when the database was asked */
  readAt: Micros
  /** the greatest position seen; smaller ones may still appear */
  newest: number
  /** transactions that may still write to the log */
  writers: readonly OpenWriter[]
}

/** Another epoch has begun. */
export interface EpochChange {
  /** undefined: the first that this process has seen */
  before: Position | undefined
  epoch: string
  number: number
  reason: EpochReason
  timeline: string | null
  /** the last position of the previous epoch that still exists; events beyond it are sent again, or lost */
  continuesAfter: number
  /** whether this process had seen positions beyond it */
  lost: boolean
}

export interface HighWaterMark {
  /** Asks the database after the call, so that everything committed before it counts. @throws StoreUnavailable */
  advance(): Promise<Mark>
  /**
   * The same, and waits a moment for transactions that are writing now: unless one of them hangs, the mark then covers everything
   * that was committed before the call.
   */
  settle(): Promise<Mark>
  /** whether events were seen that are not known to be complete, so that it is worth asking again soon */
  isBehind(): boolean
  /** the last answer of the database */
  known(): Mark | undefined
  /**
   * Where the log continues after a position that any node gave out in any epoch.
   * @returns `lost`: an event at or below the position is not in this log any more
   */
  follow(position: Position): Promise<{ position: LogPosition; lost: boolean }>
}

/** Between two checks of transactions that take milliseconds. */
const PAUSES_MS = [2, 4, 8, 16, 32, 32]
/** Beginning an epoch is a race that one node wins; the next read shows the result. */
const TRIES = 5
/** Two statements read the clock at their beginning, and the one that began first may end last. */
const APART: Micros = SECOND

/**
 * Sequence numbers are drawn before their transactions commit, so a row may appear below one that was read already, and a
 * reader that only asks for greater ones would miss it. So the greatest number seen counts only once every transaction that
 * was writing to the log at that moment has ended. The complete position is stored before any event up to it is sent: for
 * all nodes, and for the time after a restart.
 */
export function createHighWaterMark(store: MarkStore, onEpoch: (change: EpochChange) => void): HighWaterMark {
  let known: Mark | undefined
  let candidate: Candidate | undefined
  let asking: Promise<Mark> | undefined
  let next: Promise<Mark> | undefined

  async function ask(): Promise<Mark> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const row = await store.advance(known && { id: known.epoch, complete: known.seq }, candidate)
      if (row === undefined) await store.first()
      else if (!row.same_server) await begin(row, 'server_started')
      else if (hasGoneBack(row)) await begin(row, 'went_back')
      else return take(row)
    }
    throw new Error('no epoch of the log of events could be agreed on with the other nodes')
  }

  function hasGoneBack(row: MarkRow): boolean {
    if (known === undefined) return false
    return row.id === known.epoch ? row.complete < known.seq : !row.knows
  }

  async function begin(row: MarkRow, reason: EpochReason): Promise<void> {
    const timeline = await store.timeline()
    const promoted = row.timeline !== null && timeline !== undefined && row.timeline !== timeline
    const number = Math.max(row.number, known?.number ?? 0) + 1
    const first = row.reason === 'first' && row.number === 0
    candidate = undefined
    await store.begin(row.number, number, timeline, first ? 'first' : promoted ? 'promoted' : reason)
  }

  async function take(row: MarkRow): Promise<Mark> {
    if (known?.epoch !== row.id) {
      const end = known === undefined ? undefined : ((await store.endOf(known.epoch)) ?? 0)
      const lost = known !== undefined && end! < known.seq
      onEpoch({
        before: known,
        epoch: row.id,
        number: row.number,
        reason: row.reason,
        timeline: row.timeline,
        continuesAfter: end ?? row.begins_after,
        lost,
      })
      known = undefined
      candidate = undefined
    }
    const readAt = parseTime(row.read_at)
    note(row)
    known = {
      epoch: row.id,
      number: row.number,
      seq: row.complete,
      newest: row.newest,
      writers: row.writers,
      readAt,
      completeAt: latestOf(Math.max(known?.completeAt ?? 0, parseTime(row.complete_at)), row, readAt),
    }
    return known
  }

  /** A position below which nothing is written any more once the present writers have ended. */
  function note(row: MarkRow): void {
    if (row.newest === row.complete || row.writers.length === 0) candidate = undefined
    else if (candidate === undefined || candidate.seq <= row.complete) {
      candidate = { seq: row.newest, at: row.read_at, writers: row.writers.map(({ id }) => id) }
    }
  }

  function start(): Promise<Mark> {
    asking = ask().finally(() => {
      asking = undefined
    })
    return asking
  }

  /** One query at a time: of two at once the later answer may be the older one, which looks like a log that went back. */
  function advance(): Promise<Mark> {
    if (next) return next
    if (!asking) return start()
    // the one in flight may have read before the caller's commit
    next = asking
      .catch(() => undefined)
      .then(() => {
        next = undefined
        return start()
      })
    return next
  }

  return {
    advance,
    async settle() {
      let mark = await advance()
      const { newest, number } = mark
      for (const pause of PAUSES_MS) {
        if (mark.number !== number || mark.seq >= newest) break
        await sleep(pause)
        mark = await advance()
      }
      return mark
    },
    isBehind: () => candidate !== undefined,
    known: () => known,
    async follow(position) {
      const { epoch } = position
      let mark = known ?? (await advance())
      const isPresent = () => epoch === undefined || epoch === mark.epoch
      // another node may have seen more than this one, or another epoch
      if (!isPresent() || position.seq > mark.seq) mark = await advance()
      // an epoch that this database does not know: what its clients got is unknown, so everything is sent again
      const end = isPresent() ? mark.seq : ((await store.endOf(epoch!)) ?? 0)
      const lost = position.seq > end
      const seq = !lost ? position.seq : isPresent() ? 0 : end
      return { position: { epoch: mark.epoch, number: mark.number, seq }, lost }
    },
  }
}

/**
 * @param noted before, by this or another node. Beyond now it says nothing: the clock of the database was set back, or is that of
 *   another server, and followers would trust a time that is still to come
 */
function latestOf(noted: Micros, row: MarkRow, readAt: Micros): Micros {
  const seen = completeAt(row, readAt)
  if (noted < readAt + APART) return Math.min(readAt, Math.max(noted, seen ?? 0))
  return seen ?? Math.min(readAt, ...row.writers.map(({ since }) => since ?? readAt))
}

/** Everything committed before this time is at or below `complete`; undefined when this role may not see the writers. */
function completeAt(row: MarkRow, readAt: Micros): Micros | undefined {
  if (row.complete < row.newest || row.writers.some(({ since }) => since === null)) return undefined
  return Math.min(readAt, ...row.writers.map(({ since }) => since!))
}
