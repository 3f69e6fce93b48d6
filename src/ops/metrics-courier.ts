import { Counter, Gauge, type Registry } from 'prom-client'

/** Messages that wait. */
export interface CourierState {
  queued: number
  /** age of the oldest; 0 when there is none */
  oldest_seconds: number
}

export interface CourierMetrics {
  /** @param result of the few that a try can have */
  tried(channel: string, result: string): void
  /** @param read asked at each scrape; what cannot be had is left out */
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
      /** One question for both: a scrape collects them at the same time. */
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
          // the same of every process: it is in the database
          ...{ name, help, registers, aggregator: 'first' },
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
