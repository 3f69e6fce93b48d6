import { readCreateBody } from '../../identities/admin/bodies.ts'
import { compileSchema } from '../../identities/schema/compile.ts'
import type { IdentitySchema, Json, JsonObject } from '../../identities/types.ts'
import { stringifyJson } from '../../kernel/base/exact-json.ts'
import { HttpError } from '../../kernel/http/errors.ts'
import { loadJson } from '../../kernel/outbound/load.ts'
import { type Client, createClient, endpointOf } from '../kit/client.ts'
import { Failure } from '../kit/errors.ts'
import { type Io, print } from '../kit/io.ts'
import { type FileIdentity, readIdentities } from './files.ts'

/** Checks identity files as the server would: the members, then the traits against the schema that it serves. */
export async function validateIdentities(io: Io, endpoint: string | undefined, files: string[]): Promise<void> {
  const address = endpointOf(io, endpoint)
  const client = createClient(io, address)
  const schemas = new Map<string, IdentitySchema>()
  const schemaOf = async (id: string) => {
    const schema = schemas.get(id) ?? (await fetchSchema(client, address, id))
    schemas.set(id, schema)
    return schema
  }
  let invalid = 0
  for (const identity of await readIdentities(io, files)) {
    const problems = await problemsOf(identity, schemaOf)
    if (problems.length === 0) continue
    invalid += 1
    print(io.stderr, `${identity.source}: not valid\n${problems.join('\n')}`)
  }
  if (invalid > 0) throw new Failure('')
  print(io.stdout, 'All identity files are valid.')
}

async function problemsOf(
  { value }: FileIdentity,
  schemaOf: (id: string) => Promise<IdentitySchema>,
): Promise<string[]> {
  try {
    const { schema_id: id = 'default', traits } = readCreateBody(value)
    const checked = (await schemaOf(id)).derive(traits)
    if (checked.kind === 'derived') return []
    return checked.violations.map(({ path, reason }) => {
      const found = valueAt({ traits }, path)
      const shown = typeof found === 'string' ? found : (stringifyJson(found) ?? '<nil>')
      return `${path}: ${shown}\n^-- ${reason.replace(/^I\[\S*\] S\[\S*\] /, '')}`
    })
  } catch (error) {
    if (error instanceof HttpError) return [error.reason ?? error.message]
    throw error
  }
}

/** The value at a dotted path; a dot inside a name has a backslash before it. */
function valueAt(value: unknown, path: string): unknown {
  const names = path.split(/(?<!\\)\./).map((name) => name.replaceAll('\\.', '.'))
  return names.reduce<unknown>((node, name) => (node as JsonObject | null | undefined)?.[name], value)
}

async function fetchSchema(client: Client, endpoint: string, id: string): Promise<IdentitySchema> {
  const path = `/schemas/${encodeURIComponent(id)}`
  const refuse = (error: Error) => {
    throw new Failure(`Could not fetch schema with ID ${JSON.stringify(id)}: ${error.message}`)
  }
  const { body } = await client.call('GET', path).catch(refuse)
  const options = { cwd: '.', disallowPrivateIps: false, privateIpExceptions: [] }
  const load = async (url: string) => (await loadJson(url, options)) as Json
  // The server has compiled this schema, patterns included.
  const source = { id, url: endpoint + path, selectable: false, document: body as JsonObject, backtracking: true }
  return compileSchema(source, load).catch(refuse)
}
