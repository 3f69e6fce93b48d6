import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Scope } from './db.ts'

const PROGRAM = fileURLToPath(new URL('receiver.mjs', import.meta.url))

export interface Received {
  url: string
  headers: Record<string, string>
  body: string
  /** the parsed body's `data` */
  event: any
}

export interface TestReceiver {
  port: number
  url: string
  /** everything since the process began */
  received: Received[]
  /** Resolves when so many have come, since the beginning. */
  count(total: number): Promise<Received[]>
  answer(how: {
    status?: number
    delayMs?: number
    headers?: Record<string, string>
    hang?: boolean
    size?: number
  }): Promise<void>
  /** kill -9 */
  kill(): Promise<void>
}

/** Starts a receiver of events as a process of its own. */
export async function startReceiver(t: Scope, port = 0): Promise<TestReceiver> {
  const child = spawn(process.execPath, [PROGRAM, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const received: Received[] = []
  let wake = () => {}
  const lines = createInterface({ input: child.stdout })
  const ready = new Promise<number>((resolve) => {
    lines.on('line', (line) => {
      const message = JSON.parse(line)
      if (message.port !== undefined) return resolve(message.port)
      received.push({ ...message, event: JSON.parse(message.body).data })
      wake()
    })
  })
  const actual = await ready
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  t.after(kill)
  const url = `http://127.0.0.1:${actual}`
  return {
    port: actual,
    url: `${url}/hook`,
    received,
    async count(total) {
      while (received.length < total) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return received
    },
    async answer(how) {
      await fetch(`${url}/control`, { method: 'POST', body: JSON.stringify(how) })
    },
    kill,
  }
}
