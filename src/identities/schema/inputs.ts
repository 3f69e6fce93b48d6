import { DESCRIPTORS } from '../../credentials/descriptors.ts'
import type { IdentitySchema, Json, JsonObject, TraitInput } from '../types.ts'
import { isObject } from '../types.ts'
import { EXTENSION } from './extension.ts'
import { asArray, asObject, asString, member, type Target } from './node.ts'

/** A value of the document that a form may ask for. */
interface Path {
  name: string
  schema: JsonObject
  /** `text`, `number`, `checkbox`; undefined for values that have no input */
  shape: string | undefined
  required: boolean
}

interface Found {
  paths: Map<string, Path>
  objects: Set<string>
  lists: Set<string>
}

export interface Inputs extends Pick<IdentitySchema, 'objects' | 'lists'> {
  inputs: TraitInput[]
  /** the one trait that is the login identifier; undefined when there are several or it has no title */
  identifierLabel: { title: string; name: string } | undefined
}

const FORMAT_TYPES: Record<string, { type: string; autocomplete?: string }> = {
  'date-time': { type: 'datetime-local' },
  email: { type: 'email', autocomplete: 'email' },
  tel: { type: 'tel', autocomplete: 'tel' },
  date: { type: 'date' },
  uri: { type: 'url', autocomplete: 'url' },
  regex: { type: 'text' },
}

type TargetOf = (schema: JsonObject) => Target | undefined

/** The inputs of the traits in schema order, nested ones flattened with dots. */
export function schemaInputs(document: Json, targetOf: TargetOf): Inputs {
  const found: Found = { paths: new Map(), objects: new Set(), lists: new Set() }
  collect(document, undefined, [], [], found, targetOf)
  const traits = [...found.paths.values()].filter(({ name }) => name.startsWith('traits.'))
  const keys = keysInOrder(document)
  const position = (name: string) => {
    const at = keys.findIndex((key) => name.startsWith(key))
    return at === -1 ? keys.length : at
  }
  const sorted = traits.sort((a, b) => position(a.name) - position(b.name))
  return {
    inputs: sorted.filter(({ shape }) => shape !== undefined).map(input),
    objects: [...found.objects],
    lists: found.lists,
    identifierLabel: label(traits),
  }
}

const COMBINATORS = ['allOf', 'anyOf', 'oneOf']

function collect(
  schema: Json,
  parent: JsonObject | undefined,
  steps: readonly string[],
  above: readonly JsonObject[],
  into: Found,
  targetOf: TargetOf,
  conditional = false,
): void {
  if (!isObject(schema) || above.includes(schema)) return
  const inner = [...above, schema]
  const descend = (next: Json | undefined, onlyIf = conditional) => {
    if (next !== undefined) collect(next, schema, steps, inner, into, targetOf, onlyIf)
  }
  const target = targetOf(schema)
  if (target) {
    descend(target.schema)
    return
  }
  note(schema, parent, steps, into.paths)
  if (!conditional) noteShape(schema, steps, into)
  for (const keyword of ['not', 'if', 'then', 'else']) descend(member(schema, keyword), true)
  for (const keyword of COMBINATORS) for (const part of asArray(member(schema, keyword))) descend(part)
  for (const [name, next] of Object.entries(asObject(member(schema, 'properties')))) {
    collect(next, schema, [...steps, name], inner, into, targetOf, conditional)
  }
}

function note(schema: JsonObject, parent: JsonObject | undefined, steps: readonly string[], into: Map<string, Path>) {
  const typed = typeof member(schema, 'type') === 'string' || member(schema, 'const') !== undefined
  if (steps.length === 0 || !(typed || member(schema, 'default') !== undefined)) return
  const name = steps.join('.')
  if (into.has(name)) return
  const required = parent !== undefined && asArray(member(parent, 'required')).includes(steps.at(-1)!)
  into.set(name, { name, schema, shape: shapeOf(schema), required })
}

/** A condition about a trait does not create an object when nothing was sent. */
function noteShape(schema: JsonObject, steps: readonly string[], into: Found): void {
  if (steps[0] !== 'traits' || steps.length < 2) return
  const type = member(schema, 'type')
  if (type === 'object') into.objects.add(steps.join('.'))
  if (type === 'array') into.lists.add(steps.join('.'))
}

function shapeOf(schema: JsonObject): string | undefined {
  const constant = member(schema, 'const')
  const type = constant === undefined ? member(schema, 'type') : typeof constant
  if (type === 'object' || (type === 'array' && !holdsScalars(schema))) return undefined
  if (type === 'number' || type === 'integer') return 'number'
  return type === 'boolean' ? 'checkbox' : 'text'
}

function holdsScalars(schema: JsonObject): boolean {
  const items = member(schema, 'items')
  const types = (Array.isArray(items) ? items : [items ?? {}]).map((item) => member(asObject(item), 'type'))
  return !types.some((type) => type === 'object' || type === 'array')
}

function input({ name, schema, shape, required }: Path): TraitInput {
  const format = FORMAT_TYPES[asString(member(schema, 'format')) ?? '']
  const pattern = asString(member(schema, 'pattern'))
  const title = asString(member(schema, 'title'))
  return {
    name,
    type: name === 'password' ? 'password' : (format?.type ?? shape!),
    required,
    ...(format?.autocomplete === undefined ? {} : { autocomplete: format.autocomplete }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(title === undefined || title === '' ? {} : { title }),
  }
}

function marks(schema: JsonObject, type: string, use: string): boolean {
  const credentials = asObject(member(asObject(member(schema, EXTENSION)), 'credentials'))
  return member(asObject(member(credentials, type)), use) === true
}

function label(paths: readonly Path[]): Inputs['identifierLabel'] {
  const naming = paths.filter(({ schema }) =>
    DESCRIPTORS.some(({ type, namedBy }) => namedBy && marks(schema, type, namedBy)),
  )
  const title = naming.length === 1 ? asString(member(naming[0]!.schema, 'title')) : undefined
  return title === undefined || title === '' ? undefined : { title, name: naming[0]!.name }
}

/** The names of the values as they stand in the document; only plain objects are opened. */
function keysInOrder(schema: Json, steps: readonly string[] = []): string[] {
  if (!isObject(schema) || member(schema, 'type') !== 'object') return [steps.join('.')]
  const members = Object.entries(asObject(member(schema, 'properties')))
  return members.flatMap(([name, inner]) => keysInOrder(inner, [...steps, name]))
}
