import { parseArgs } from 'node:util'
import { PLANS, type Plan } from './workloads.ts'

const SECRET = 'a-secret-of-the-benchmark-only'

export const HELP = `npm run bench -- [what] [options]

What a session check, a login and a logout cost, beside bare SQL on the same tables and beside a server that does nothing.

What to measure, one of
  (nothing)           the workloads, by number of connections
  --interference      how long a session check takes while others log in with passwords at full cost
  --scale             what a request costs with 10,000 sessions and with 2,000,000
  --start             how soon it answers after its start, and its memory when idle

Options
  --sessions N        rows to begin with                                            200000; --scale 2000000
  --connections A,B   how many at once, one or several numbers                      64; --interference 32
  --seconds N         length of each run                                            5; --interference 10
  --rounds N          runs of each, interleaved                                     3; --scale and --start 5
  --plans A,B         of: ${PLANS.join(', ')}   all
  --workers N         processes behind the port of our server                      1
  --bare WHICH        pgbench, pg (a loop over the driver), none                    pgbench where it is installed
  --shared-buffers S  of the Postgres that is started                               512MB; --scale 2GB
  --json FILE         writes every single run to a file
  --write             puts the results into docs/performance.json and docs/performance.md

Beside another server on the same tables, in the same run
  --kratos PROGRAM    an executable of Kratos: it makes the tables, is started, and stopped
  --url URL           public address of a server that runs already; needs --dsn
  --pid N             its process, when it is on this machine: for CPU and memory
  --name NAME         what to call it                                               other
  --dsn URL           a database that is there already; its sessions and identities are replaced. With the tables of a
                      Kratos, tokens are stored as Kratos stores them
  --tokens plain      stores tokens like that in a database of our own, too
  --secret TEXT       the first of secrets.cookie of that server                    ${SECRET}

A server at --url must have: this --dsn and --secret; the schema config/identity.default.schema.json under the id
"default"; passwords enabled; hashers.algorithm argon2 with memory 1MB, iterations 1, parallelism 1.
`

export type Mode = 'load' | 'interference' | 'scale' | 'start'
export type BareChoice = 'pgbench' | 'pg' | 'none'

export interface Options {
  mode: Mode
  sessions: number
  connections: number[]
  seconds: number
  rounds: number
  workers: number
  plans: Plan[]
  /** undefined: what there is */
  bare: BareChoice | undefined
  sharedBuffers: string
  json: string | undefined
  write: boolean
  kratos: string | undefined
  other: { url: URL; pid: number | undefined; name: string } | undefined
  dsn: string | undefined
  tokens: 'plain' | undefined
  secret: string
}

/** What was asked for cannot be done; the message says which argument and why. */
export class WrongArguments extends Error {
  override readonly name = 'WrongArguments'
}

const DEFAULTS = {
  load: { sessions: '200000', connections: '64', seconds: '5', rounds: '3', buffers: '512MB' },
  interference: { sessions: '200000', connections: '32', seconds: '10', rounds: '3', buffers: '512MB' },
  scale: { sessions: '2000000', connections: '64', seconds: '5', rounds: '5', buffers: '2GB' },
  start: { sessions: '200000', connections: '1', seconds: '3', rounds: '5', buffers: '512MB' },
}

/** @returns undefined when help is wanted. @throws WrongArguments */
export function parseArguments(argv: string[]): Options | undefined {
  const { values } = read(argv)
  if (values.help) return undefined
  const modes = (['interference', 'scale', 'start'] as const).filter((name) => values[name])
  if (modes.length > 1) throw new WrongArguments(`--${modes.join(' and --')}: one at a time`)
  const mode = modes[0] ?? 'load'
  if (mode !== 'load') refuseElsewhere(mode, values)
  const defaults = DEFAULTS[mode]
  if (values.url !== undefined && values.dsn === undefined) {
    throw new WrongArguments('--url needs --dsn: its database is the one to fill with sessions')
  }
  if (values.url !== undefined && values.kratos !== undefined) {
    throw new WrongArguments('--url and --kratos: one other server at a time')
  }
  if (values.pid !== undefined && values.url === undefined) throw new WrongArguments('--pid needs --url')
  if (values.tokens !== undefined && values.tokens !== 'plain') {
    throw new WrongArguments(`--tokens ${values.tokens}: only "plain" can be asked for`)
  }
  const pid = values.pid === undefined ? undefined : number('pid', values.pid)
  return {
    mode,
    sessions: number('sessions', values.sessions ?? defaults.sessions, 400),
    connections: list(values.connections ?? defaults.connections).map((text) => number('connections', text)),
    seconds: number('seconds', values.seconds ?? defaults.seconds),
    rounds: number('rounds', values.rounds ?? defaults.rounds),
    workers: number('workers', values.workers),
    plans: list(values.plans ?? PLANS.join()).map((name) => oneOf('plans', name, PLANS)),
    bare: values.bare === undefined ? undefined : oneOf('bare', values.bare, ['pgbench', 'pg', 'none'] as const),
    sharedBuffers: values['shared-buffers'] ?? defaults.buffers,
    json: values.json,
    write: values.write,
    kratos: values.kratos,
    other: values.url === undefined ? undefined : { url: address(values.url), pid, name: values.name },
    dsn: values.dsn,
    tokens: values.tokens,
    secret: values.secret,
  }
}

/** An option without effect would make its user believe in a run that was not made. */
function refuseElsewhere(mode: Mode, values: Record<string, unknown>): void {
  const found = ['plans', 'bare', 'kratos', 'url', 'pid', 'dsn', 'tokens'].find((name) => values[name] !== undefined)
  if (found !== undefined) throw new WrongArguments(`--${found} has no effect with --${mode}: leave one of them out`)
  if (String(values.connections ?? '').includes(',')) {
    throw new WrongArguments(`--connections ${values.connections}: with --${mode} one number`)
  }
}

function read(argv: string[]) {
  try {
    const text = { type: 'string' } as const
    const flag = { type: 'boolean', default: false } as const
    return parseArgs({
      args: argv,
      options: {
        help: { ...flag, short: 'h' },
        ...{ interference: flag, scale: flag, start: flag, write: flag },
        ...{ sessions: text, connections: text, seconds: text, rounds: text, plans: text, bare: text, json: text },
        ...{ 'shared-buffers': text, kratos: text, url: text, pid: text, dsn: text, tokens: text },
        workers: { ...text, default: '1' },
        name: { ...text, default: 'other' },
        secret: { ...text, default: SECRET },
      },
    })
  } catch (error) {
    throw new WrongArguments(`${(error as Error).message}; --help lists the options`)
  }
}

const list = (text: string) => text.split(',').map((part) => part.trim())

function number(name: string, text: string, least = 1): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text)
  throw new WrongArguments(`--${name} ${text}: a whole number from ${least} up is needed`)
}

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text)
  if (found !== undefined) return found
  throw new WrongArguments(`--${name} ${text}: not one of ${known.join(', ')}`)
}

function address(text: string): URL {
  if (/^http:\/\/[^/?#]+\/?$/.test(text)) return new URL(text)
  throw new WrongArguments(`--url ${text}: an address such as http://127.0.0.1:4433 is needed, without a path`)
}
