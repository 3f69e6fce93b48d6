import { Counter, Gauge, type Registry } from 'prom-client'

/** How far a receiver of events has been told. */
export interface ReceiverState {
  id: string
  pending: number
  dead: number
  /** age of the oldest event that is still to be delivered; 0 when there is none */
  lagSeconds: number
}

export interface EventMetrics {
  /** @param result of the few that a try can have */
  delivery(receiver: string, result: 'delivered' | 'failed' | 'given_up'): void
  /** @param read asked at each scrape; what cannot be had is left out */
  watchReceivers(read: () => Promise<ReceiverState[]>): void
  watchStreams(read: () => number): void
  /** @param reason of the few for which another epoch of the log begins */
  epoch(reason: string): void
  /** @param follower of the few kinds of those who follow the log */
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
    watchReceivers: (read) => watchReceivers(registers, read),
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

function watchReceivers(registers: Registry[], read: () => Promise<ReceiverState[]>): void {
  let reading: Promise<ReceiverState[]> | undefined
  /** One question for all gauges: a scrape collects them at the same time. */
  const states = () => {
    reading ??= read()
      .catch(() => [])
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  const gauge = (name: string, help: string, value: (state: ReceiverState) => number) =>
    new Gauge({
      // the same of every process: it is in the database
      ...{ name, help, labelNames: ['receiver'], registers, aggregator: 'first' },
      async collect() {
        const known = await states()
        this.reset()
        for (const state of known) this.set({ receiver: state.id }, value(state))
      },
    })
  gauge('lethe_event_deliveries_pending', 'Events that a receiver is still to get.', (state) => state.pending)
  gauge('lethe_event_deliveries_dead', 'Events whose delivery was given up.', (state) => state.dead)
  gauge(
    'lethe_event_delivery_lag_seconds',
    'Age of the oldest event that a receiver is still to get.',
    (state) => state.lagSeconds,
  )
}
