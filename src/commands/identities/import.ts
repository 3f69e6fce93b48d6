import { createClient, endpointOf, errorText } from '../kit/client.ts'
import type { Cmd } from '../kit/command.ts'
import { Failure } from '../kit/errors.ts'
import { type Io, print } from '../kit/io.ts'
import type { FormatOptions } from '../kit/output.ts'
import { addClientFlags } from '../kit/remote.ts'
import { readIdentities } from './files.ts'
import { type RemoteIdentity, writeIdentities, writeIdentity } from './output.ts'

interface Options extends FormatOptions {
  endpoint?: string
}

export function addImport(program: Cmd, io: Io): void {
  const group = program.group('import', 'Import resources')
  addClientFlags(group)
  const command = group
    .command('identities')
    .description('Create identities from JSON files, or from stdin')
    .argument('[file...]', 'one identity or a list of them, each as the body of POST /admin/identities') as Cmd
  command.examples('import identities people.json', 'import identities -q < people.json')
  command.action((files: string[]) => importIdentities(io, command.optsWithGlobals<Options>(), files))
}

/** One after the other; a refused one does not stop the next. */
async function importIdentities(io: Io, options: Options, files: string[]): Promise<void> {
  const client = createClient(io, endpointOf(io, options.endpoint))
  const given = await readIdentities(io, files)
  const created: RemoteIdentity[] = []
  const refused: string[] = []
  for (const [index, { source, value }] of given.entries()) {
    const answer = await client.attempt('POST', '/admin/identities', value)
    if (answer.status === 201) created.push(answer.body as RemoteIdentity)
    else refused.push(`${errorText(answer)}\n${source}: ${answer.status}`)
    if (io.stderr.isTTY) io.stderr.write(`\r${index + 1} of ${given.length}, ${refused.length} refused`)
  }
  if (io.stderr.isTTY && given.length > 0) print(io.stderr, '')
  if (created.length === 1) writeIdentity(io, options, created[0]!)
  else writeIdentities(io, options, created)
  if (refused.length > 0) throw new Failure(refused.join('\n'))
}
