import type { Config } from '../../config/schema/schema.ts'
import { type BackgroundWork, createLoop } from '../../kernel/background/loop.ts'
import type { Queue } from '../../kernel/background/queue.ts'
import { type Clock, formatTime, type Micros } from '../../kernel/base/clock.ts'
import type { HighWaterMark, Mark } from '../log/high-water-mark.ts'
import type { LogPoller } from '../log/poller.ts'
import type { WebhookStore } from '../webhooks/store.ts'
import type { Receiver } from './receiver.ts'
import { wantedTypes } from './receiver.ts'
import { type KnownReceiver, receiversOf } from './receivers.ts'
import type { DeliveryStore } from './store.ts'

export interface DispatcherDeps {
  config(): Config
  clock: Clock
  webhooks: WebhookStore
  deliveries: Pick<DeliveryStore, 'due'>
  deliverer: Queue<Receiver>
  highWaterMark: HighWaterMark
  poller: LogPoller
  log: { warn(details: object, message: string): void }
}

export interface Dispatcher extends BackgroundWork {
  /** Reads the receivers at once, after one was added or changed. */
  refresh(): void
}

/** How soon a delivery is tried that is due again, or that another node has left unfinished. */
const TURN_MS = 1000
/** The same while there are no receivers: how soon one that was added on another node is found. */
const IDLE_MS = 5000
/** Events of the log that become deliveries in one statement. */
const BATCH = 500

/**
 * Turns events into deliveries, once for each receiver whichever node is first, and wakes the delivery queue. It reads
 * the log from the position of each receiver, so that receivers make ending a session no more expensive.
 */
export function createDispatcher(d: DispatcherDeps): Dispatcher {
  let since: Micros = d.clock.now()
  let receivers: readonly KnownReceiver[] = []
  let stopPolling: (() => void) | undefined
  let stopped = true
  /** every receiver has its deliveries up to here */
  let done: Mark | undefined
  let wanted: Mark | undefined

  const looking = createLoop({
    name: 'delivery to webhooks',
    run: turn,
    pauseMs: () => (receivers.length > 0 ? TURN_MS : IDLE_MS),
    atOnce: true,
    log: d.log,
  })
  const fanningOut = createLoop({
    name: 'making deliveries of events',
    run: fanOut,
    pauseMs: () => undefined,
    failedPauseMs: TURN_MS,
    log: d.log,
  })

  async function turn(): Promise<void> {
    const now = d.clock.now()
    await load(now)
    since = now
    if (receivers.length > 0) {
      const due = new Set(await d.deliveries.due(formatTime(now)))
      for (const receiver of receivers) if (due.has(receiver.id)) d.deliverer.wake(receiver)
    }
  }

  async function load(now: Micros): Promise<void> {
    let rows = await d.webhooks.all()
    const known = new Set(rows.map(({ id }) => id))
    const fresh = d.config().lethe.events.webhooks.filter(({ id }) => !known.has(id))
    if (fresh.length > 0) {
      const ids = fresh.map(({ id }) => id)
      // without readers the last mark of the log may be an hour old
      await d.highWaterMark.settle()
      await d.webhooks.addConfigured(ids, formatTime(since), formatTime(now))
      rows = await d.webhooks.all()
    }
    receivers = receiversOf(d.config(), rows)
    // a receiver that was added, also by another node, may be behind although the log has not grown
    if (done !== undefined && receivers.some(({ position }) => position < done!.seq)) done = undefined
    if (receivers.length > 0 && !stopped) stopPolling ??= d.poller.add(onMark)
    else pause()
  }

  function onMark(mark: Mark): void {
    if (done?.epoch === mark.epoch && done.seq === mark.seq) return
    wanted = mark
    fanningOut.wake()
  }

  async function fanOut(): Promise<void> {
    const mark = wanted
    if (mark === undefined) return
    // read again: another node may have changed which events one wants
    const present = receiversOf(d.config(), await d.webhooks.all())
    let complete = true
    for (const receiver of present) {
      for (let more = receiver.position < mark.seq; more && !stopped; ) {
        const now = formatTime(d.clock.now())
        const result = await d.webhooks.fanOut(receiver.id, BATCH, now, wantedTypes(receiver))
        // another node is working on it; the next turn sees what it leaves unfinished
        if (!result) complete = false
        else if (result.added > 0) d.deliverer.wake(receiver)
        more = result?.more ?? false
      }
    }
    if (complete && !stopped) done = mark
  }

  function pause(): void {
    stopPolling?.()
    stopPolling = undefined
  }

  return {
    start() {
      stopped = false
      looking.start()
      fanningOut.start()
    },
    async stop() {
      stopped = true
      pause()
      await Promise.all([looking.stop(), fanningOut.stop()])
      await d.deliverer.stop()
    },
    refresh: looking.wake,
  }
}
