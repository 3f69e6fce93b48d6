import { type Answer, createClient, endpointOf } from './client.ts'
import type { Cmd } from './command.ts'
import { Failure } from './errors.ts'
import { type Io, print } from './io.ts'
import { addFormatFlags, type FormatOptions, writeFormatted } from './output.ts'

interface Options extends FormatOptions {
  endpoint?: string
}

const TRIES = 5

export function addRemote(program: Cmd, io: Io): void {
  const remote = program.group('remote', 'Ask a running server')
  addClientFlags(remote)
  remote.examples('remote status -e http://127.0.0.1:4434', 'remote version --format json')
  const status = remote.command('status').description('Show whether it is alive and ready')
  status.action(() => showStatus(io, status.optsWithGlobals<Options>()))
  const version = remote.command('version').description('Show its version')
  version.action(() => showVersion(io, version.optsWithGlobals<Options>()))
}

/** Options of every command that talks to the admin port. */
export function addClientFlags(command: Cmd): void {
  const variables = 'else the variable KRATOS_ADMIN_URL or LETHE_ADMIN_URL'
  command.option('-e, --endpoint <url>', `address of the admin port; ${variables}`)
  addFormatFlags(command)
}

async function showStatus(io: Io, options: Options): Promise<void> {
  const ask = asker(io, options)
  const isOk = (answer: Answer | undefined) => answer?.status === 200
  const alive = isOk(await ask('/health/alive').catch(tell(io)))
  // a server that did not answer is not asked a second time: that would double the wait
  const ready = alive && isOk(await ask('/health/ready').catch(tell(io)))
  const table = [
    ['ALIVE', String(alive)],
    ['READY', String(ready)],
  ]
  writeFormatted(io, options, { value: { alive, ready }, table, ids: [String(alive && ready)] })
  if (!alive || !ready) throw new Failure('')
}

async function showVersion(io: Io, options: Options): Promise<void> {
  const { status, body } = await asker(io, options)('/version')
  const { version } = (body ?? {}) as { version?: unknown }
  if (status === 404) throw new Failure('404 Not Found: is this the admin address?')
  if (status !== 200 || typeof version !== 'string') throw new Failure(`the server answered with status ${status}`)
  writeFormatted(io, options, { value: { version }, table: [['VERSION', version]], ids: [version] })
}

/** Asks up to five times, one, two, four and eight seconds apart, until the server answers with anything below 500. */
function asker(io: Io, options: Options): (path: string) => Promise<Answer> {
  const client = createClient(io, endpointOf(io, options.endpoint))
  return async (path) => {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await client.attempt('GET', path)
        if (answer.status < 500 || attempt === TRIES) return answer
      } catch (error) {
        if (attempt === TRIES) throw error
        tell(io)(error)
      }
      await io.sleep(1000 * 2 ** (attempt - 1))
    }
  }
}

function tell(io: Io): (error: unknown) => undefined {
  return (error) => {
    print(io.stderr, (error as Error).message)
    return undefined
  }
}
