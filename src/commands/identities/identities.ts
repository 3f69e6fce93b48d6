import { createClient, endpointOf, errorText } from '../kit/client.ts'
import type { Cmd } from '../kit/command.ts'
import { Failure } from '../kit/errors.ts'
import { type Io, print } from '../kit/io.ts'
import type { FormatOptions } from '../kit/output.ts'
import { addClientFlags } from '../kit/remote.ts'
import { type RemoteIdentity, writeIdentities, writeIdentity, writeIds } from './output.ts'

interface Options extends FormatOptions {
  endpoint?: string
  pageSize: string
  pageToken?: string
  consistency: string
  includeCredentials?: string[]
  erase?: boolean
}

/** `list`, `get`, `delete` and `validate` of identities, over the admin port. */
export function addIdentities(program: Cmd, io: Io): void {
  const list = program.group('list', 'List resources').alias('ls') as Cmd
  addClientFlags(list)
  const listed = list
    .command('identities')
    .description('List identities, a page at a time')
    .allowExcessArguments()
    .option('--page-size <rows>', 'identities on a page', '100')
    .option('--page-token <token>', 'page to begin with: the NEXT PAGE TOKEN of the one before')
    .option('--consistency <level>', 'accepted for compatibility: every list is up to date', 'eventual') as Cmd
  listed.examples('list identities --page-size 10', 'list identities --format jsonpath=identities.#.id')
  listed.action(() => listIdentities(io, listed.optsWithGlobals<Options>()))

  const get = program.group('get', 'Get resources')
  addClientFlags(get)
  const got = get
    .command('identity')
    .description('Get identities by id')
    .argument('<id...>')
    .option('-i, --include-credentials <type>', 'show tokens of providers; only oidc is accepted', collect) as Cmd
  got.examples('get identity 29adceaf-bc63-49f1-b8f6-e7350d2c70f5 --format json-pretty')
  got.action((ids: string[]) => getIdentities(io, got.optsWithGlobals<Options>(), ids))

  const remove = program.group('delete', 'Delete resources')
  addClientFlags(remove)
  const removed = remove
    .command('identity')
    .description('Delete identities by id')
    .argument('<id...>')
    .option(
      '--erase',
      'and what is known of them in events, messages and flows, also of identities deleted before',
    ) as Cmd
  removed.examples('delete identity 29adceaf-bc63-49f1-b8f6-e7350d2c70f5 --erase')
  removed.action((ids: string[]) => deleteIdentities(io, removed.optsWithGlobals<Options>(), ids))

  const validate = program.group('validate', 'Check resources before they are imported')
  addClientFlags(validate)
  const validated = validate
    .command('identity')
    .description('Check identity files against the schema that the server has')
    .argument('<file...>') as Cmd
  validated.examples('validate identity people.json')
  validated.action(async (files: string[]) => {
    const { validateIdentities } = await import('./validate.ts')
    await validateIdentities(io, validated.optsWithGlobals<Options>().endpoint, files)
  })
}

async function listIdentities(io: Io, options: Options): Promise<void> {
  const client = createClient(io, endpointOf(io, options.endpoint))
  const query = new URLSearchParams({ consistency: options.consistency, page_size: options.pageSize })
  if (options.pageToken !== undefined) query.set('page_token', options.pageToken)
  const { body, headers } = await client.call('GET', `/admin/identities?${query}`)
  writeIdentities(io, options, body as RemoteIdentity[], { next: nextToken(headers.get('link') ?? '') })
}

/** The token in `<…page_token=…>; rel="next"`. */
function nextToken(link: string): string {
  const [, url] = /<([^>]*)>;\s*rel="next"/.exec(link) ?? []
  return url === undefined ? '' : (new URL(url, 'http://localhost').searchParams.get('page_token') ?? '')
}

async function getIdentities(io: Io, options: Options, ids: string[]): Promise<void> {
  const types = options.includeCredentials ?? []
  if (types.some((type) => type !== 'oidc')) {
    throw new Failure('You have to put a valid value of credentials type to be included, try --help for details.')
  }
  const query = types.length > 0 ? '?include_credential=oidc' : ''
  const found = await each(io, options, ids, 'GET', query)
  if (found.length === 1) writeIdentity(io, options, found[0]!.body as RemoteIdentity)
  else
    writeIdentities(
      io,
      options,
      found.map(({ body }) => body as RemoteIdentity),
    )
  if (found.length < ids.length) throw new Failure('')
}

async function deleteIdentities(io: Io, options: Options, ids: string[]): Promise<void> {
  const gone = await each(io, options, ids, 'DELETE', options.erase ? '?erase=true' : '')
  if (gone.length > 0)
    writeIds(
      io,
      options,
      gone.map(({ id }) => id),
    )
  if (gone.length < ids.length) throw new Failure('')
}

/** Calls each in turn and reports those that failed. */
async function each(io: Io, options: Options, ids: string[], method: string, query: string) {
  const client = createClient(io, endpointOf(io, options.endpoint))
  const done: { id: string; body: unknown }[] = []
  for (const id of ids) {
    const answer = await client.attempt(method, `/admin/identities/${encodeURIComponent(id)}${query}`)
    if (answer.status >= 200 && answer.status < 300) done.push({ id, body: answer.body })
    else print(io.stderr, `${errorText(answer)}\n${id}: ${answer.status}`)
  }
  return done
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, ...value.split(',')]
}
