/**
 * One load: `node load.ts JSON`, a process of its own, so that its work is not counted as the server's. Each connection
 * sends its next request when it has its answer; every answer is checked. Prints one line of JSON.
 */
import { Connection } from './connection.ts'
import { type Step, turn, type Work } from './workloads.ts'

export interface LoadOptions extends Work {
  host: string
  port: number
  connections: number
  seconds: number
  /** stops after as many, if that is earlier */
  requests?: number
}

export interface LoadResult {
  requests: number
  seconds: number
  /** milliseconds */
  p50: number
  p99: number
  /** how many sessions the server says it ended */
  ended: number
  wrong: string[]
}

const options: LoadOptions = JSON.parse(process.argv[2] ?? '{}')
const latencies: number[] = []
const wrong: string[] = []
let [turns, requests, ended] = [0, 0, 0]
const started = performance.now()
const end = started + options.seconds * 1000
const enough = options.requests ?? Number.POSITIVE_INFINITY

async function drive(connection: Connection): Promise<void> {
  while (performance.now() < end && wrong.length < 5 && requests < enough) {
    const steps = turn(options, turns++)
    if (steps === undefined) {
      const why = 'no session is left to end: more --sessions, or fewer --seconds'
      if (!wrong.includes(why)) wrong.push(why)
      return
    }
    let previous = ''
    for (const step of steps) previous = await one(connection, step, previous)
  }
}

async function one(connection: Connection, step: Step, previous: string): Promise<string> {
  const text = step.request(previous)
  const at = performance.now()
  const answer = await connection.request(text)
  latencies.push(performance.now() - at)
  requests += 1
  if (!step.fits(answer)) wrong.push(`${text.split('\r\n')[0]} -> ${answer.slice(0, 300)}`)
  else if (step.ends) ended += 1
  return answer
}

const connections = Array.from({ length: options.connections }, () => new Connection(options.host, options.port))
await Promise.all(connections.map(drive))
const seconds = (performance.now() - started) / 1000
for (const connection of connections) connection.close()
latencies.sort((a, b) => a - b)
const at = (share: number) => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 100) / 100
process.stdout.write(
  `${JSON.stringify({ requests, seconds, p50: at(0.5), p99: at(0.99), ended, wrong } satisfies LoadResult)}\n`,
)
process.exit(0)
