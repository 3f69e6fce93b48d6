import { Counter, Gauge, type Registry } from 'prom-client'

/** How far the log and the receivers of events are. */
export interface LogState {
  epoch_number: number
  behind_events: number
  behind_seconds: number
  /** of the transactions that may still write to the log */
  oldest_transaction: { pid: number | null; application: string | null; age_seconds: number | null } | null
  receivers: readonly ReceiverState[]
}

interface ReceiverState {
  id: string
  pending: number
  dead: number
  lag_events: number
  /** age of the oldest undelivered event; 0 when there is none */
  lag_seconds: number
}

/** Younger transactions are ordinary writes, and naming their processes would make a series for each scrape. */
const SHOWN_FROM_SECONDS = 1

export interface EventMetrics {
  /** @param result one of the few outcomes of a try */
  delivery(receiver: string, result: 'delivered' | 'failed' | 'given_up'): void
  /** @param read called at each scrape; its series are left out when it fails */
  watchLog(read: () => Promise<LogState>): void
  watchStreams(read: () => number): void
  /** @param reason one of the few causes of a new epoch */
  epoch(reason: string): void
  /** @param follower one of the few kinds of followers */
  lost(follower: string): void
}

export function createEventMetrics(registry: Registry): EventMetrics {
  const registers = [registry]
  const deliveries = new Counter({
    name: 'lethe_event_deliveries_total',
    help: 'Tries of this node to deliver an event, by receiver and result.',
    labelNames: ['receiver', 'result'],
    registers,
  })
  const epochs = new Counter({
    name: 'lethe_event_log_epochs_total',
    help: 'New epochs of the log of events that this node has seen begin, by reason. `promoted` and `went_back` may have lost commits.',
    labelNames: ['reason'],
    registers,
  })
  const lost = new Counter({
    name: 'lethe_event_followers_set_back_total',
    help: 'Times that a follower was told something that the log has lost, and went on with a gap.',
    labelNames: ['follower'],
    registers,
  })
  return {
    epoch: (reason) => epochs.inc({ reason }),
    lost: (follower) => lost.inc({ follower }),
    delivery: (receiver, result) => deliveries.inc({ receiver, result }),
    watchLog: (read) => watchLog(registers, read),
    watchStreams(read) {
      new Gauge({
        name: 'lethe_event_streams',
        help: 'Open streams of events on this node.',
        registers,
        collect() {
          this.set(read())
        },
      })
    },
  }
}

function watchLog(registers: Registry[], read: () => Promise<LogState>): void {
  let reading: Promise<LogState | undefined> | undefined
  /** One query for all gauges: a scrape collects them at the same time. */
  const state = () => {
    reading ??= read()
      .catch(() => undefined)
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  type Labelled = [labels: Record<string, string>, value: number]
  const gauge = (name: string, help: string, labelNames: string[], values: (state: LogState) => Labelled[]) =>
    new Gauge({
      // the same in every process: it is read from the database
      name,
      help,
      labelNames,
      registers,
      aggregator: 'first',
      async collect() {
        const known = await state()
        this.reset()
        // a reset gauge without labels is 0, which would look healthy
        if (known === undefined && labelNames.length === 0) this.remove()
        for (const [labels, value] of known === undefined ? [] : values(known)) this.set(labels, value)
      },
    })
  const log = (name: string, help: string, value: (state: LogState) => number) =>
    gauge(name, help, [], (known) => [[{}, value(known)]])
  log('lethe_event_log_epoch', 'Number of the epoch of the log of events.', (known) => known.epoch_number)
  log(
    'lethe_event_log_behind_events',
    'Events, at most, that are in the log and held back by open transactions.',
    (known) => known.behind_events,
  )
  log(
    'lethe_event_log_behind_seconds',
    'How long ago the log was known to be complete.',
    (known) => known.behind_seconds,
  )
  gauge(
    'lethe_event_log_oldest_transaction_seconds',
    'Age of the oldest open transaction that may write to the log and holds it back. No series below a second.',
    ['pid', 'application'],
    ({ oldest_transaction: oldest }) =>
      oldest === null || (oldest.age_seconds ?? 0) < SHOWN_FROM_SECONDS
        ? []
        : [[{ pid: String(oldest.pid ?? ''), application: oldest.application ?? '' }, oldest.age_seconds!]],
  )
  const receivers = (name: string, help: string, value: (state: ReceiverState) => number) =>
    gauge(name, help, ['receiver'], (known) => known.receivers.map((one) => [{ receiver: one.id }, value(one)]))
  receivers('lethe_event_deliveries_pending', 'Events that a receiver is still to get.', ({ pending }) => pending)
  receivers('lethe_event_deliveries_dead', 'Events whose delivery was given up.', ({ dead }) => dead)
  receivers(
    'lethe_event_delivery_lag_events',
    'Events, at most, that a receiver is still to get, with those that are held back in the log.',
    ({ lag_events }) => lag_events,
  )
  receivers(
    'lethe_event_delivery_lag_seconds',
    'Age of the oldest event that a receiver is still to get.',
    ({ lag_seconds }) => lag_seconds,
  )
}
