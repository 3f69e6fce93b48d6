import { deepFreeze, type LoadedConfig } from '../../config/load.ts'
import type { ConfigChange } from '../../config/reload.ts'
import type { WatchOptions } from '../../config/watch.ts'
import type { Metrics } from '../metrics.ts'
import { isOwn, type Series, writeSum } from '../metrics-sum.ts'
import type { ToPrimary, ToWorker } from './messages.ts'

export interface Channel {
  send(message: ToPrimary): void
  onMessage(listener: (message: ToWorker) => void): void
}

/** What a worker gets from its primary. */
export interface Primary {
  /** counted from 1; a replacement takes the number of the worker it replaces */
  worker: number
  workers: number
  loaded: LoadedConfig
  /** hands on what the primary has read and checked, instead of watching the files */
  watch(options: Pick<WatchOptions, 'onChange' | 'onError'>): { close(): void }
  /** the same metrics, but their text is the sum over all workers */
  shareMetrics(metrics: Metrics): Metrics
  serving(): void
}

/**
 * Reports to the primary and waits for what this process needs to start.
 * @param onStop called when the primary wants this process to stop
 * @returns undefined when it must not start
 */
export function joinPrimary(channel: Channel, onStop: (signal: string) => void): Promise<Primary | undefined> {
  const changes: ConfigChange[] = []
  let takeChange = (change: ConfigChange): void => void changes.push(change)
  let ownSeries = async (): Promise<Series[]> => []
  const scrapes = new Map<number, (others: Series[][]) => void>()
  let asked = 0

  function ofOthers(own: Series[]): Promise<Series[][]> {
    asked += 1
    channel.send({ kind: 'scrape', ask: asked, own })
    return new Promise((resolve) => scrapes.set(asked, resolve))
  }

  const primary = ({ worker, workers, loaded }: Extract<ToWorker, { kind: 'start' }>): Primary => ({
    worker,
    workers,
    loaded: deepFreeze(loaded),
    watch({ onChange, onError }) {
      let running: Promise<void> = Promise.resolve()
      takeChange = (change) => {
        running = running.then(() => onChange(change)).catch(onError)
      }
      changes.forEach(takeChange)
      return {
        close() {
          takeChange = () => {}
        },
      }
    },
    shareMetrics(metrics) {
      ownSeries = metrics.ownSeries
      const text = async () => {
        const all = await metrics.series()
        return writeSum([all, ...(await ofOthers(all.filter(isOwn)))])
      }
      return { ...metrics, text }
    },
    serving: () => channel.send({ kind: 'serving' }),
  })

  return new Promise((resolve) => {
    channel.onMessage((message) => {
      switch (message.kind) {
        case 'start':
          return resolve(primary(message))
        case 'stop':
          onStop(message.signal)
          return resolve(undefined)
        case 'config':
          return void takeChange({ ...message.change, loaded: deepFreeze(message.change.loaded) })
        case 'count':
          return void ownSeries().then((series) => channel.send({ kind: 'counted', ask: message.ask, series }))
        case 'others':
          scrapes.get(message.ask)?.(message.others)
          return void scrapes.delete(message.ask)
      }
    })
    channel.send({ kind: 'hello' })
  })
}
