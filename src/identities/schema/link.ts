import { parseUrl } from '../../kernel/base/url.ts'
import type { Json, JsonObject } from '../types.ts'
import { toRegExp } from './formats.ts'
import { asObject, asString, isObject, member, type Target } from './node.ts'

/** A document and where it came from. */
interface Root {
  url: string
  document: Json
}

export interface Links {
  targets: ReadonlyMap<JsonObject, Target>
  patterns: ReadonlyMap<string, RegExp>
}

/** More documents than any real schema has; a chain of references must end somewhere. */
const MAX_DOCUMENTS = 20

const SCHEMAS = ['not', 'if', 'then', 'else', 'additionalProperties', 'propertyNames', 'additionalItems', 'contains']
const LISTS = ['allOf', 'anyOf', 'oneOf']
const MAPS = ['properties', 'patternProperties', 'dependencies']

/**
 * Finds what every `$ref` names, also in other documents, and reads every pattern, so that nothing can be missing when
 * values are evaluated.
 *
 * @param load fetches the text of another document by its URL
 * @throws Error that names the reference or pattern
 */
export async function link(url: string, document: Json, load: (url: string) => Promise<Json>): Promise<Links> {
  const targets = new Map<JsonObject, Target>()
  const patterns = new Map<string, RegExp>()
  const visited = new Set<JsonObject>()
  const documents = new Map<string, Root>()

  const register = (root: Root) => {
    documents.set(root.url, root)
    const id = asString(member(asObject(root.document), '$id'))
    if (id !== undefined) documents.set(id.replace(/#$/, ''), root)
    return root
  }

  const visit = async (schema: Json | undefined, root: Root): Promise<void> => {
    if (!isObject(schema) || visited.has(schema)) return
    visited.add(schema)
    const ref = asString(member(schema, '$ref'))
    if (ref !== undefined) {
      const [target, home] = await follow(ref, root)
      targets.set(schema, target)
      return visit(target.schema, home)
    }
    readPatterns(schema, patterns)
    for (const inner of subschemas(schema)) await visit(inner, root)
  }

  const follow = async (ref: string, root: Root): Promise<[Target, Root]> => {
    const [path = '', fragment = ''] = ref.split(/#(.*)/s)
    const home = path === '' ? root : await documentAt(absolute(path, root), ref)
    const schema = step(home.document, fragment)
    if (schema === undefined) throw new Error(`$ref ${JSON.stringify(ref)} names nothing`)
    return [{ schema, name: `${home === root ? '' : home.url}#${fragment}` }, home]
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

  await visit(document, register({ url, document }))
  return { targets, patterns }
}

/** Relative references are meant below the `$id` of the document, else below its own address. */
function absolute(path: string, root: Root): string {
  const base = asString(member(asObject(root.document), '$id')) ?? root.url
  for (const candidate of [base, root.url]) {
    const url = parseUrl(path, candidate)
    if (url) return url.href
  }
  return path
}

function step(document: Json, fragment: string): Json | undefined {
  const steps = fragment.split('/').slice(1).map(unescapeStep)
  return steps.reduce<Json | undefined>((node, name) => {
    if (Array.isArray(node)) return node[Number(name)]
    return isObject(node) ? member(node, name) : undefined
  }, document)
}

function unescapeStep(text: string): string {
  return decodeURIComponent(text).replaceAll('~1', '/').replaceAll('~0', '~')
}

function subschemas(schema: JsonObject): Json[] {
  const items = member(schema, 'items')
  return [
    ...SCHEMAS.flatMap((keyword) => member(schema, keyword) ?? []),
    ...[items, ...LISTS.map((keyword) => member(schema, keyword))].flatMap((value) => value ?? []),
    ...MAPS.flatMap((keyword) => Object.values(asObject(member(schema, keyword)))),
  ]
}

function readPatterns(schema: JsonObject, into: Map<string, RegExp>): void {
  const pattern = asString(member(schema, 'pattern'))
  const names = Object.keys(asObject(member(schema, 'patternProperties')))
  for (const text of pattern === undefined ? names : [pattern, ...names]) {
    try {
      into.set(text, toRegExp(text))
    } catch (cause) {
      throw new Error(`pattern ${JSON.stringify(text)} cannot be read: ${(cause as Error).message}`, { cause })
    }
  }
}
