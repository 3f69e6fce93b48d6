import type { Cluster } from 'node:cluster'
import type { Readable, Writable } from 'node:stream'
import type { Channel } from './link.ts'
import type { ToPrimary, ToWorker } from './messages.ts'

/** Tells a worker from a server that something else runs in a cluster of its own. */
export const WORKER_VARIABLE = 'LETHE_WORKER'

export interface End {
  code: number | null
  signal: string | null
}

/** A worker's process, as the primary has it. */
export interface Fork {
  pid: number | undefined
  send(message: ToWorker): void
  /** ends it without waiting for anything */
  kill(): void
}

export type Forker = (events: { onMessage(message: ToPrimary): void; onEnd(end: End): void }) => Fork

type Output = Writable & { isTTY?: boolean }

/** Starts this program again, with the same arguments; node:cluster lets the processes share ports. */
export function createForker(cluster: Cluster, out: Output): Forker {
  // Records of the log may be longer than what a pipe takes at once: several processes would cut into each other's.
  const output = out.isTTY === true ? 'inherit' : 'pipe'
  cluster.setupPrimary({ serialization: 'advanced', stdio: ['ignore', output, 'inherit', 'ipc'] })
  const relay = createLineRelay(out)
  return ({ onMessage, onEnd }) => {
    const worker = cluster.fork({ [WORKER_VARIABLE]: '1' })
    if (worker.process.stdout) relay(worker.process.stdout)
    worker.on('message', onMessage)
    // A process that could not be started, or a message that could not be sent: its end tells.
    worker.on('error', () => {})
    worker.process.once('close', (code, signal) => onEnd({ code, signal }))
    return {
      pid: worker.process.pid,
      send: (message) => void (worker.isConnected() && worker.send(message, () => {})),
      kill: () => worker.process.kill('SIGKILL'),
    }
  }
}

/** The way to the primary; undefined in a process that was not started by `createForker`. */
export function channelToPrimary({ worker }: Cluster): Channel | undefined {
  return (
    worker && {
      send: (message) => void worker.send(message, () => {}),
      onMessage: (listener) => void worker.on('message', listener),
    }
  )
}

/** Writes what several sources say, line by line. They wait while the reader of the output does not follow. */
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
    // half a line of a process that was killed
    source.on('end', () => write(rest.length === 0 ? rest : Buffer.concat([rest, Buffer.from('\n')])))
    source.on('error', () => {})
  }
}
