import type { ChildProcess } from 'node:child_process'
import type { Cluster } from 'node:cluster'
import type { Readable, Writable } from 'node:stream'
import type { Channel } from './link.ts'
import type { ToPrimary, ToWorker } from './messages.ts'

/** Set for workers. Tells a worker from a server that another program runs in a cluster of its own. */
export const WORKER_VARIABLE = 'LETHE_WORKER'

export interface End {
  code: number | null
  signal: string | null
}

/** A worker's process, as seen by the primary. */
export interface Fork {
  pid: number | undefined
  send(message: ToWorker): void
  /** ends it at once */
  kill(): void
}

export type Forker = (events: { onMessage(message: ToPrimary): void; onEnd(end: End): void }) => Fork

type Output = Writable & { isTTY?: boolean }

/** Starts this program again, with the same arguments; node:cluster lets the processes share ports. */
export function createForker(cluster: Cluster, out: Output): Forker {
  // A log record may be longer than a pipe takes at once: records of several processes would be mixed up.
  const output = out.isTTY === true ? 'inherit' : 'pipe'
  cluster.setupPrimary({ serialization: 'advanced', stdio: ['ignore', output, 'inherit', 'ipc'] })
  const relay = createLineRelay(out)
  return ({ onMessage, onEnd }) => {
    const worker = cluster.fork({ [WORKER_VARIABLE]: '1' })
    if (worker.process.stdout) relay(worker.process.stdout)
    letGoOfConnections(worker.process)
    worker.on('message', onMessage)
    // A process that could not be started or reached: its `exit` follows.
    worker.on('error', () => {})
    worker.process.once('close', (code, signal) => onEnd({ code, signal }))
    return {
      pid: worker.process.pid,
      send: (message) => void (worker.isConnected() && worker.send(message, () => {})),
      kill: () => worker.process.kill('SIGKILL'),
    }
  }
}

/** What node:cluster sends to a worker, as far as it is read here. */
interface Internal {
  act?: string
  seq?: number
  ack?: number
}

/**
 * node:cluster keeps a connection that it has handed to a worker until the worker confirms. If the worker is killed
 * before, the connection is kept for ever and its client waits (seen with one of 300 requests; nodejs/node#21746).
 * Those connections have no public interface, so they are noted when they are sent. With SCHED_NONE the workers accept
 * by themselves and this would not be needed, but then one of four took 56 of 64 connections that came at once.
 */
function letGoOfConnections(child: ChildProcess): void {
  const handed = new Map<number, { close(): void }>()
  const send = child.send.bind(child) as (message: Internal, handle?: unknown, ...rest: unknown[]) => boolean
  child.send = (message: Internal, handle?: unknown, ...rest: unknown[]) => {
    const { act, seq } = message
    if (act === 'newconn' && seq !== undefined && handle) handed.set(seq, handle as { close(): void })
    return send(message, handle, ...rest)
  }
  child.on('internalMessage', ({ ack }: Internal) => void (ack !== undefined && handed.delete(ack)))
  child.once('exit', () => {
    for (const connection of handed.values()) connection.close()
  })
}

/** The channel to the primary; undefined in a process that was not started by `createForker`. */
export function channelToPrimary({ worker }: Cluster): Channel | undefined {
  return (
    worker && {
      send: (message) => void worker.send(message, () => {}),
      onMessage: (listener) => void worker.on('message', listener),
    }
  )
}

/** Writes the output of several sources line by line. Sources wait while the reader of the output is slow. */
export function createLineRelay(out: Writable): (source: Readable) => void {
  const waiting = new Set<Readable>()
  out.on('drain', () => {
    for (const source of waiting) source.resume()
    waiting.clear()
  })
  return (source) => {
    let rest: Buffer = Buffer.alloc(0)
    const write = (lines: Buffer) => {
      if (lines.length === 0 || out.write(lines)) return
      waiting.add(source.pause())
    }
    source.on('data', (chunk: Buffer) => {
      const end = chunk.lastIndexOf(10) + 1
      if (end === 0) {
        rest = Buffer.concat([rest, chunk])
        return
      }
      write(Buffer.concat([rest, chunk.subarray(0, end)]))
      rest = chunk.subarray(end)
    })
    // an unfinished line of a process that was killed
    source.on('end', () => write(rest.length === 0 ? rest : Buffer.concat([rest, Buffer.from('\n')])))
    source.on('error', () => {})
  }
}
