/**
 * Logins that arrive at a fixed pace, whether those before are done or not: `node logins.ts JSON`. That is how people
 * come. Prints one line of JSON: how many answers of each kind there were.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from './connection.ts'
import { login } from './workloads.ts'

export interface LoginsOptions {
  host: string
  port: number
  perSecond: number
  seconds: number
  identities: number
}

export type LoginsResult = Record<string, number>

const { host, port, perSecond, seconds, identities }: LoginsOptions = JSON.parse(process.argv[2] ?? '{}')
const answers: LoginsResult = {}
const free: Connection[] = []
let pending = 0

async function one(i: number): Promise<string> {
  const connection = free.pop() ?? new Connection(host, port)
  let answer = ''
  for (const step of login(1 + (i % identities))) {
    answer = await connection.request(step.request(answer))
    if (!step.fits(answer)) break
  }
  const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]
  // a server that refuses may close the connection, too
  if (status !== undefined && !/\r\nconnection: close\r\n/i.test(answer)) free.push(connection)
  else connection.close()
  return status ?? answer
}

const started = performance.now()
for (let i = 0; i < perSecond * seconds; i++) {
  await sleep(Math.max(0, started + (i * 1000) / perSecond - performance.now()))
  pending += 1
  void one(i).then((kind) => {
    answers[kind] = (answers[kind] ?? 0) + 1
    pending -= 1
  })
}
// what is still waiting then is told as such
for (let i = 0; i < 20 && pending > 0; i++) await sleep(100)
if (pending > 0) answers['without an answer after 2 s'] = pending
process.stdout.write(`${JSON.stringify(answers)}\n`)
process.exit(0)
