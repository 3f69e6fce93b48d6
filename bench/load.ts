/**
 * One load: `node load.ts JSON`, a process of its own, so that its work is not counted as the server's. Each connection
 * sends its next request when it has its answer; every answer is checked. Prints one line of JSON.
 */
import net from 'node:net'
import { type Plan, type Step, stepsOf } from './workloads.ts'

export interface LoadOptions {
  host: string
  port: number
  connections: number
  seconds: number
  plan: Plan
  /** rows that may be used: from first to last, each once where a request uses it up */
  rows: [number, number]
  secret: string
  serverSecret: string
}

export interface LoadResult {
  requests: number
  seconds: number
  /** milliseconds */
  p50: number
  p99: number
  wrong: string[]
}

class Connection {
  private readonly socket: net.Socket
  private buffer = ''
  private waiting: ((answer: string) => void) | undefined

  constructor(host: string, port: number) {
    this.socket = net.connect({ host, port, noDelay: true })
    this.socket.setEncoding('latin1')
    this.socket.on('data', (part) => this.take(String(part)))
    this.socket.on('error', (error) => this.waiting?.(`error ${error.message}`))
    this.socket.on('close', () => this.waiting?.('closed'))
  }

  request(text: string): Promise<string> {
    return new Promise((resolve) => {
      this.waiting = resolve
      this.socket.write(text, 'latin1')
    })
  }

  close() {
    this.waiting = undefined
    this.socket.destroy()
  }

  private take(part: string): void {
    this.buffer += part
    const head = this.buffer.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = /\r\ncontent-length: (\d+)/i.exec(this.buffer.slice(0, head + 2))
    const end = head + 4 + (length ? Number(length[1]) : 0)
    if (this.buffer.length < end) return
    const answer = this.buffer.slice(0, end)
    this.buffer = this.buffer.slice(end)
    const done = this.waiting
    this.waiting = undefined
    done?.(answer)
  }
}

const options: LoadOptions = JSON.parse(process.argv[2] ?? '{}')
const latencies: number[] = []
const wrong: string[] = []
const counter = { next: options.rows[0] }
let requests = 0
const started = performance.now()
const end = started + options.seconds * 1000

async function drive(connection: Connection): Promise<void> {
  while (performance.now() < end && wrong.length < 5 && counter.next <= options.rows[1]) {
    let previous = ''
    for (const step of stepsOf(options, counter.next++)) {
      previous = await one(connection, step, previous)
    }
  }
}

async function one(connection: Connection, step: Step, previous: string): Promise<string> {
  const text = step.request(previous)
  const at = performance.now()
  const answer = await connection.request(text)
  latencies.push(performance.now() - at)
  requests += 1
  if (!step.fits(answer)) wrong.push(`${text.split('\r\n')[0]} -> ${answer.slice(0, 300)}`)
  return answer
}

const connections = Array.from({ length: options.connections }, () => new Connection(options.host, options.port))
await Promise.all(connections.map(drive))
const seconds = (performance.now() - started) / 1000
for (const connection of connections) connection.close()
latencies.sort((a, b) => a - b)
const at = (share: number) => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 100) / 100
process.stdout.write(
  `${JSON.stringify({ requests, seconds, p50: at(0.5), p99: at(0.99), wrong } satisfies LoadResult)}\n`,
)
process.exit(0)
