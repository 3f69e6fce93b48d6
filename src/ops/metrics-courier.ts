import { Counter, Gauge, type Registry } from 'prom-client'

/** The queue of messages. */
export interface CourierState {
  queued: number
  /** age of the oldest; 0 when there is none */
  oldest_seconds: number
}

export interface CourierMetrics {
  /** @param result one of the few outcomes of a try */
  tried(channel: string, result: string): void
  /** @param read called at each scrape; its series are left out when it fails */
  watchQueue(read: () => Promise<CourierState>): void
}

export function createCourierMetrics(registry: Registry): CourierMetrics {
  const registers = [registry]
  const tries = new Counter({
    name: 'lethe_courier_tries_total',
    help: 'Tries of this node to send a message, by channel and result: `sent`, `failed` (tried again), `closed` (the server takes nothing), `abandoned`.',
    labelNames: ['channel', 'result'],
    registers,
  })
  return {
    tried: (channel, result) => tries.inc({ channel, result }),
    watchQueue(read) {
      let reading: Promise<CourierState | undefined> | undefined
      /** One query for both gauges: a scrape collects them at the same time. */
      const state = () => {
        reading ??= read()
          .catch(() => undefined)
          .finally(() => {
            reading = undefined
          })
        return reading
      }
      const gauge = (name: string, help: string, value: (state: CourierState) => number) =>
        new Gauge({
          // the same in every process: it is read from the database
          name,
          help,
          registers,
          aggregator: 'first',
          async collect() {
            const known = await state()
            if (known === undefined) this.remove()
            else this.set(value(known))
          },
        })
      gauge('lethe_courier_messages_queued', 'Messages that wait to be sent.', ({ queued }) => queued)
      gauge(
        'lethe_courier_oldest_message_seconds',
        'Age of the oldest message that waits to be sent.',
        ({ oldest_seconds }) => oldest_seconds,
      )
    },
  }
}
