import { pathKey } from '../../config/sources/sources.ts'
import { parseYaml } from '../../config/sources/yaml.ts'
import type { HttpClientConfig } from '../../kernel/outbound/guard.ts'
import { type LoadOptions, loadOptions, loadText, parseJson, shortUrl } from '../../kernel/outbound/load.ts'
import type { IdentitySchema, Json } from '../types.ts'
import { isObject } from '../types.ts'
import { compileSchema } from './compile.ts'
import { PatternError } from './link.ts'
import { metaCheck } from './meta.ts'

/** The parts of the configuration that name the schemas. */
export interface SchemaConfig extends HttpClientConfig {
  identity: {
    default_schema_id: string
    schemas: readonly { id: string; url: string; selfservice_selectable?: boolean | undefined }[]
  }
  lethe?: { identity: { backtracking_patterns: readonly string[] } }
}

/** The identity schemas in force. Immutable: a reload replaces them. */
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
  const check = metaCheck()
  const list: IdentitySchema[] = []
  for (const [i, entry] of config.identity.schemas.entries()) {
    const where = `identity.schemas[${i}] (id ${JSON.stringify(entry.id)}, ${shortUrl(entry.url)})`
    if (list.some(({ id }) => id === entry.id)) throw new SchemaLoadError(`${where}: this id is used twice`)
    try {
      const backtracking = config.lethe?.identity.backtracking_patterns.includes(entry.id) ?? false
      list.push(await readSchema(entry, options, check, backtracking))
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
  backtracking: boolean,
): Promise<IdentitySchema> {
  const texts = new Map<string, string>()
  const load = async (url: string) => {
    const text = await loadText(url, options)
    texts.set(url, text)
    return parseJson(text) as Json
  }
  const document = await load(entry.url)
  const problem = check(JSON.parse(texts.get(entry.url)!))
  if (problem !== undefined || !isObject(document)) throw new Error(`is not an identity schema: ${problem}`)
  const selectable = entry.selfservice_selectable === true
  try {
    return await compileSchema({ id: entry.id, url: entry.url, selectable, document, backtracking }, load)
  } catch (error) {
    throw error instanceof PatternError ? located(error, entry.url, texts.get(error.url) ?? '') : error
  }
}

/** Names the line, and the document when it is not the schema's own. */
function located({ url, path, message, cause }: PatternError, own: string, text: string): Error {
  const line = parseYaml(url, text, true).lines.get(pathKey(path))
  return new Error(`${url === own ? '' : `${shortUrl(url)} `}line ${line ?? '?'}, ${message}`, { cause })
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
  return { default: fallback, list, get: (id) => byId.get(id) ?? byName.get(id.replace(/={1,2}$/, '')) }
}

/** The last step of `schema_url`: base64url of the id without padding. */
export function encodeSchemaId(id: string): string {
  return Buffer.from(id).toString('base64url')
}
