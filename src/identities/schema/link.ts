import { parseUrl } from '../../kernel/base/url.ts'
import type { Json, JsonObject } from '../types.ts'
import { isObject } from '../types.ts'
import { pointer } from './failure.ts'
import { asObject, asString, member, type Target } from './node.ts'
import type { Pattern } from './patterns.ts'

/** A document and where it came from. */
interface Root {
  url: string
  document: Json
}

export interface Links {
  targets: ReadonlyMap<JsonObject, Target>
  patterns: ReadonlyMap<string, Pattern>
}

/** A pattern that cannot be used, and where it stands. */
export class PatternError extends Error {
  /** address of the document */
  readonly url: string
  /** names from the root of the document to the pattern */
  readonly path: readonly string[]

  constructor(url: string, path: readonly string[], pattern: string, cause: Error) {
    super(`${pointer(path)}: pattern ${JSON.stringify(pattern)} cannot be read: ${cause.message}`, { cause })
    this.url = url
    this.path = path
  }
}

/** More documents than any real schema has; a chain of references must end somewhere. */
const MAX_DOCUMENTS = 20

const SCHEMAS = ['not', 'if', 'then', 'else', 'additionalProperties', 'propertyNames', 'additionalItems', 'contains']
const LISTS = ['allOf', 'anyOf', 'oneOf']
const MAPS = ['properties', 'patternProperties', 'dependencies']

/**
 * Resolves every `$ref`, also into other documents, and compiles every pattern, so that nothing can be missing when
 * values are evaluated.
 *
 * @param load fetches another document by its URL
 * @param compile compiles a pattern
 * @throws PatternError, Error that names the reference
 */
export async function link(
  url: string,
  document: Json,
  load: (url: string) => Promise<Json>,
  compile: (pattern: string) => Pattern,
): Promise<Links> {
  const targets = new Map<JsonObject, Target>()
  const patterns = new Map<string, Pattern>()
  const visited = new Set<JsonObject>()
  const documents = new Map<string, Root>()

  const register = (root: Root) => {
    documents.set(root.url, root)
    const id = asString(member(asObject(root.document), '$id'))
    if (id !== undefined) documents.set(id.replace(/#$/, ''), root)
    return root
  }

  const visit = async (schema: Json | undefined, root: Root, path: readonly string[]): Promise<void> => {
    if (!isObject(schema) || visited.has(schema)) return
    visited.add(schema)
    const ref = asString(member(schema, '$ref'))
    if (ref !== undefined) {
      const [target, home, location] = await follow(ref, root)
      targets.set(schema, target)
      return visit(target.schema, home, location)
    }
    for (const [steps, pattern] of patternsOf(schema)) {
      try {
        if (!patterns.has(pattern)) patterns.set(pattern, compile(pattern))
      } catch (cause) {
        throw new PatternError(root.url, [...path, ...steps], pattern, cause as Error)
      }
    }
    for (const [steps, inner] of subschemas(schema)) await visit(inner, root, [...path, ...steps])
  }

  const follow = async (ref: string, root: Root): Promise<[Target, Root, string[]]> => {
    const [path = '', fragment = ''] = ref.split(/#(.*)/s)
    const home = path === '' ? root : await documentAt(absolute(path, root), ref)
    const location = fragment.split('/').slice(1).map(unescapeStep)
    const schema = at(home.document, location)
    if (schema === undefined) throw new Error(`$ref ${JSON.stringify(ref)} names nothing`)
    return [{ schema, name: `${home === root ? '' : home.url}#${fragment}` }, home, location]
  }

  const documentAt = async (address: string, ref: string): Promise<Root> => {
    const known = documents.get(address)
    if (known) return known
    if (documents.size >= MAX_DOCUMENTS) throw new Error(`more than ${MAX_DOCUMENTS} documents are referred to`)
    const loaded = await load(address).catch((cause: unknown) => {
      throw new Error(`$ref ${JSON.stringify(ref)}: ${(cause as Error).message}`, { cause })
    })
    return register({ url: address, document: loaded })
  }

  await visit(document, register({ url, document }), [])
  return { targets, patterns }
}

/** Relative references are resolved against the `$id` of the document, else against its own address. */
function absolute(path: string, root: Root): string {
  const base = asString(member(asObject(root.document), '$id')) ?? root.url
  for (const candidate of [base, root.url]) {
    const url = parseUrl(path, candidate)
    if (url) return url.href
  }
  return path
}

function at(document: Json, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((node, name) => {
    if (Array.isArray(node)) return node[Number(name)]
    return isObject(node) ? member(node, name) : undefined
  }, document)
}

function unescapeStep(text: string): string {
  return decodeURIComponent(text).replaceAll('~1', '/').replaceAll('~0', '~')
}

/** The schemas directly inside a schema, each with the names that lead there. */
function* subschemas(schema: JsonObject): Generator<[path: string[], schema: Json]> {
  for (const keyword of [...SCHEMAS, 'items', ...LISTS]) {
    const value = member(schema, keyword)
    if (Array.isArray(value)) for (const [i, inner] of value.entries()) yield [[keyword, String(i)], inner]
    else if (value !== undefined) yield [[keyword], value]
  }
  for (const keyword of MAPS) {
    for (const [name, inner] of Object.entries(asObject(member(schema, keyword)))) yield [[keyword, name], inner]
  }
}

function* patternsOf(schema: JsonObject): Generator<[path: string[], pattern: string]> {
  const pattern = asString(member(schema, 'pattern'))
  if (pattern !== undefined) yield [['pattern'], pattern]
  for (const name of Object.keys(asObject(member(schema, 'patternProperties')))) {
    yield [['patternProperties', name], name]
  }
}
