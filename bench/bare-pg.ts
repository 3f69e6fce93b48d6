/**
 * Bare SQL without pgbench: `node bare-pg.ts JSON`, a process of its own. Each connection sends its next prepared
 * statement, of one row, when it has the answer to the last one. Writes a line when it has connected, begins when it is
 * written to, and ends with one line of JSON.
 */
import { once } from 'node:events'
import pg from 'pg'
import { endRow, type Half, readRow } from './rows.ts'
import { bareStatements, type Tables } from './statements.ts'
import type { Plan } from './workloads.ts'

export interface BarePgOptions {
  dsn: string
  plan: Plan
  tables: Tables
  half: Half
  connections: number
  seconds: number
}

export interface BarePgResult {
  units: number
  seconds: number
  /** of this process, without connecting */
  cpuSeconds: number
}

const { dsn, plan, tables, half, connections, seconds }: BarePgOptions = JSON.parse(process.argv[2]!)
const statements = bareStatements(tables, '$1::int')
type Name = keyof typeof statements
const asText = (value: string) => value
const clients = await Promise.all(
  Array.from({ length: connections }, async () => {
    const client = new pg.Client({ connectionString: dsn, types: { getTypeParser: () => asText } })
    await client.connect()
    // of a row that is not there: prepares it, and changes nothing
    for (const name of Object.keys(statements) as Name[]) await ask(client, name, 0)
    return client
  }),
)
process.stdout.write('ready\n')
await once(process.stdin, 'data')

let [units, asked, reads, ends] = [0, 0, 0, 0]
const cpu = process.cpuUsage()
const started = performance.now()
const until = started + seconds * 1000
await Promise.all(
  clients.map(async (client) => {
    while (performance.now() < until) {
      await unit(client)
      units += 1
    }
  }),
)
const took = (performance.now() - started) / 1000
const { user, system } = process.cpuUsage(cpu)
process.stdout.write(
  `${JSON.stringify({ units, seconds: took, cpuSeconds: (user + system) / 1e6 } satisfies BarePgResult)}\n`,
)
await Promise.all(clients.map((client) => client.end()))
process.exit(0)

async function unit(client: pg.Client): Promise<void> {
  if (plan === 'native-logout' || (plan === 'mix' && asked++ % 50 === 1)) {
    return ask(client, 'endByToken', endRow(half, ends++))
  }
  if (plan === 'browser-logout') {
    const row = endRow(half, ends++)
    await ask(client, 'select', row)
    await ask(client, 'select', row)
    return ask(client, 'endById', row)
  }
  return ask(client, 'select', readRow(half, reads++))
}

async function ask(client: pg.Client, name: Name, row: number): Promise<void> {
  const { rows } = await client.query({ name, text: statements[name], values: [row] })
  if (row > 0 && rows.length !== 1) throw new Error(`${name} of session ${row} gave ${rows.length} rows`)
}
