import type { LoadedConfig } from '../../config/load.ts'
import type { Logger } from '../../kernel/base/log.ts'
import { createCollection } from './collect.ts'
import type { End, Fork, Forker } from './fork.ts'
import type { ToPrimary, ToWorker } from './messages.ts'

export interface Supervised {
  /** the exit code, when the last worker has ended */
  ended: Promise<0 | 1>
  tell(message: ToWorker): void
}

/** After so many failed starts in a row the server exits, so that its orchestrator notices. */
const MOST_FAILED_STARTS = 5
/** Pause before a worker is replaced, doubled each time until one has run long enough. */
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
const LONG_LIFE_MS = 30_000
/** A worker that does not hang stops within 40 s after it has drained: each phase of the stop has its limit. */
const PATIENCE_MS = 42_000

interface Slot {
  number: number
  failedStarts: number
  /** ends in a row after a short life */
  ends: number
}

interface Member {
  slot: Slot
  fork: Fork
  servingSince: number | undefined
}

/**
 * Runs workers until asked to stop. The first starts alone, and if it fails the server fails; the
 * others follow once it serves, so that only one waits for the database and migrates it.
 */
export function superviseWorkers(d: {
  count: number
  fork: Forker
  /** what a worker starts with */
  loaded(): LoadedConfig
  stopRequested: Promise<string>
  log: Logger
  /** how long a worker may serve before it begins to stop */
  drainMs(): number
  pause(ms: number): Promise<unknown>
}): Supervised {
  const slots = Array.from({ length: d.count }, (_, i): Slot => ({ number: i + 1, failedStarts: 0, ends: 0 }))
  const members = new Set<Member>()
  const collection = createCollection<Member>({
    workers: () => members,
    ask: (member, ask) => member.fork.send({ kind: 'count', ask }),
  })
  let complete = false
  let stopping: 0 | 1 | undefined
  let patience: NodeJS.Timeout | undefined
  let finish: (code: 0 | 1) => void = () => {}
  const ended = new Promise<0 | 1>((resolve) => {
    finish = resolve
  })

  function tell(message: ToWorker): void {
    for (const member of members) member.fork.send(message)
  }

  function launch(slot: Slot): void {
    const fork = d.fork({
      onMessage: (message) => hear(member, message),
      onEnd: (end) => onEnd(member, end),
    })
    const member: Member = { slot, fork, servingSince: undefined }
    members.add(member)
  }

  function hear(member: Member, message: ToPrimary): void {
    const { slot, fork } = member
    if (!members.has(member)) return
    switch (message.kind) {
      case 'hello':
        if (stopping !== undefined) return fork.send({ kind: 'stop', signal: 'SIGINT' })
        return fork.send({ kind: 'start', worker: slot.number, workers: d.count, loaded: d.loaded() })
      case 'serving':
        return onServing(member)
      case 'scrape':
        return void collection
          .ofOthers(member, message.own)
          .then((others) => fork.send({ kind: 'others', ask: message.ask, others }))
      case 'counted':
        return collection.counted(member, message.ask, message.series)
    }
  }

  function onServing(member: Member): void {
    member.servingSince = performance.now()
    member.slot.failedStarts = 0
    d.log.info({ worker: member.slot.number, worker_pid: member.fork.pid }, 'worker serves')
    if (complete || stopping !== undefined) return
    complete = true
    slots.slice(1).forEach(launch)
  }

  function onEnd(member: Member, end: End): void {
    members.delete(member)
    collection.gone(member)
    if (stopping !== undefined) return finishWhenEmpty(stopping)
    const { slot, servingSince } = member
    if (servingSince === undefined) slot.failedStarts += 1
    // It got a signal before it served, which the primary will get too.
    if (!complete) return stop(end.code === 0 ? 0 : 1)
    const details = { worker: slot.number, worker_pid: member.fork.pid, ...end }
    if (slot.failedStarts >= MOST_FAILED_STARTS) {
      d.log.fatal(details, `worker failed to start ${slot.failedStarts} times in a row; the server stops`)
      return stop(1)
    }
    if (servingSince !== undefined && performance.now() - servingSince > LONG_LIFE_MS) slot.ends = 0
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** slot.ends, LONGEST_PAUSE_MS)
    slot.ends += 1
    d.log.error({ ...details, pause_ms: pauseMs }, 'worker ended; another takes its place')
    void d.pause(pauseMs).then(() => {
      if (stopping === undefined) launch(slot)
    })
  }

  function stop(code: 0 | 1, signal = 'SIGINT'): void {
    if (stopping !== undefined) return
    stopping = code
    tell({ kind: 'stop', signal })
    patience = setTimeout(() => {
      for (const { slot, fork } of members) {
        d.log.error({ worker: slot.number, worker_pid: fork.pid }, 'worker does not stop; it is ended')
        fork.kill()
      }
    }, PATIENCE_MS + d.drainMs())
    finishWhenEmpty(code)
  }

  function finishWhenEmpty(code: 0 | 1): void {
    if (members.size > 0) return
    clearTimeout(patience)
    finish(code)
  }

  void d.stopRequested.then((signal) => {
    d.log.info({ signal }, 'stopping')
    stop(0, signal)
  })
  launch(slots[0]!)
  return { ended, tell }
}
