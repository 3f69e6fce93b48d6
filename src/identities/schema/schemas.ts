import { type HttpClientConfig, type LoadOptions, loadOptions, shortUrl } from '../../kernel/outbound/load.ts'
import type { IdentitySchema } from '../types.ts'
import { compileSchema } from './compile.ts'
import { loadJson } from './load.ts'
import { createMetaCheck } from './meta.ts'
import { isObject } from './node.ts'

/** The parts of the configuration that say which schemas there are. */
export interface SchemaConfig extends HttpClientConfig {
  identity: {
    default_schema_id: string
    schemas: readonly { id: string; url: string; selfservice_selectable?: boolean | undefined }[]
  }
}

/** The identity schemas in force. Immutable: a reload makes a new one. */
export interface Schemas {
  /** by plain id, or by base64url of it, as it stands in `schema_url` */
  get(id: string): IdentitySchema | undefined
  readonly default: IdentitySchema
  /** in the order of the configuration */
  readonly list: readonly IdentitySchema[]
}

/** A schema cannot be used. The message names it and says why. */
export class SchemaLoadError extends Error {
  override readonly name = 'SchemaLoadError'
}

/**
 * Reads and checks all configured schemas.
 *
 * @param cwd directory that relative `file://` addresses start from
 * @throws SchemaLoadError
 * @see kratos/config.md "identity"
 */
export async function createSchemas(config: SchemaConfig, cwd: string): Promise<Schemas> {
  const options = loadOptions(config, cwd)
  const check = createMetaCheck()
  const list: IdentitySchema[] = []
  for (const [i, entry] of config.identity.schemas.entries()) {
    const where = `identity.schemas[${i}] (id ${JSON.stringify(entry.id)}, ${shortUrl(entry.url)})`
    if (list.some(({ id }) => id === entry.id)) throw new SchemaLoadError(`${where}: this id is used twice`)
    try {
      list.push(await readSchema(entry, options, check))
    } catch (cause) {
      throw new SchemaLoadError(`${where} ${(cause as Error).message}`, { cause })
    }
  }
  return registry(list, config.identity.default_schema_id)
}

async function readSchema(
  entry: SchemaConfig['identity']['schemas'][number],
  options: LoadOptions,
  check: (document: unknown) => string | undefined,
): Promise<IdentitySchema> {
  const document = await loadJson(entry.url, options)
  const problem = check(document)
  if (problem !== undefined || !isObject(document)) throw new Error(`is not an identity schema: ${problem}`)
  const selectable = entry.selfservice_selectable === true
  return compileSchema({ id: entry.id, url: entry.url, selectable, document }, (url) => loadJson(url, options))
}

function registry(list: readonly IdentitySchema[], defaultId: string): Schemas {
  const byId = new Map(list.map((schema) => [schema.id, schema]))
  const byName = new Map(list.map((schema) => [encodeSchemaId(schema.id), schema]))
  const fallback = byId.get(defaultId)
  if (!fallback) {
    const known = list.map(({ id }) => JSON.stringify(id)).join(', ')
    throw new SchemaLoadError(
      `identity.default_schema_id ${JSON.stringify(defaultId)} is not among identity.schemas (${known})`,
    )
  }
  return { default: fallback, list, get: (id) => byId.get(id) ?? byName.get(id.replace(/=+$/, '')) }
}

/** The last step of `schema_url`: base64url of the id without padding. */
export function encodeSchemaId(id: string): string {
  return Buffer.from(id).toString('base64url')
}
