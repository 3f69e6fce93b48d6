import { z } from 'zod'
import type { KeyClass, Reload } from '../schema/fields.ts'
import { configSchema } from '../schema/schema.ts'

export type KeyKind = 'string' | 'number' | 'boolean' | 'strings' | 'maps' | 'hooks' | 'map'

/** One key of the configuration, derived from the schema. */
export interface ConfigKey {
  /** dotted path, `serve.public.base_url` */
  readonly name: string
  readonly path: readonly string[]
  readonly kind: KeyKind
  /** true: a section, whose keys are listed on their own */
  readonly section: boolean
  /** undefined for sections and for parts of a key that is documented as a whole */
  readonly description: string | undefined
  /** inherited from the nearest key above */
  readonly class: KeyClass
  readonly reload: Reload
  /** as it would stand in a file */
  readonly default: unknown
  /** words for the documentation: `duration`, `URL`, ``one of `a`, `b` `` … */
  readonly type: string
  /** the entries of a list of maps */
  readonly element: z.core.$ZodType | undefined
}

interface Meta {
  description?: string
  class?: KeyClass
  reload?: Reload
  kind?: string
  format?: string
}

interface Unwrapped {
  schema: z.core.$ZodTypes
  meta: Meta
  default: unknown
  section: boolean
}

function unwrap(outer: z.core.$ZodType): Unwrapped {
  let schema = outer as z.core.$ZodTypes
  let meta: Meta = {}
  let value: unknown
  let section = false
  for (;;) {
    meta = { ...(z.globalRegistry.get(schema) as Meta | undefined), ...meta }
    const def = schema._zod.def
    if (def.type === 'default' || def.type === 'prefault') {
      value ??= def.defaultValue
      section ||= def.type === 'prefault'
      schema = def.innerType as z.core.$ZodTypes
    } else if (def.type === 'optional') schema = def.innerType as z.core.$ZodTypes
    else if (def.type === 'pipe') schema = def.in as z.core.$ZodTypes
    else return { schema, meta, default: value, section: section && def.type === 'object' }
  }
}

function describeType({ schema, meta }: Unwrapped): { kind: KeyKind; type: string; element?: z.core.$ZodType } {
  const def = schema._zod.def
  switch (def.type) {
    case 'boolean':
      return { kind: 'boolean', type: 'boolean' }
    case 'number': {
      const { minValue: min, maxValue: max, isInt } = schema as unknown as z.ZodNumber
      const range =
        min === null || min < 0 ? '' : ` ${min}…${max === null || max >= Number.MAX_SAFE_INTEGER ? '' : max}`
      return { kind: 'number', type: `${isInt ? 'integer' : 'number'}${range}` }
    }
    case 'enum':
    case 'literal': {
      const words = def.type === 'enum' ? Object.values(def.entries) : def.values
      return { kind: 'string', type: words.map((word) => `\`${String(word)}\``).join(', ') }
    }
    case 'array': {
      const entry = unwrap(def.element)
      const inner = entry.schema._zod.def.type
      if (inner === 'object') return { kind: 'maps', type: 'list of maps', element: def.element }
      if (inner === 'union') return { kind: 'hooks', type: 'list of hooks' }
      const { type } = describeType(entry)
      return { kind: 'strings', type: type.startsWith('`') ? `list of ${type}` : `list of ${type}s` }
    }
    case 'object':
    case 'record':
    case 'union':
      return { kind: 'map', type: 'map' }
    default:
      return {
        kind: 'string',
        type: meta.kind ?? { uri: 'URL', 'uri-reference': 'URL or path' }[meta.format ?? ''] ?? 'string',
      }
  }
}

/** Every key below a schema, sections before their keys. */
export function keysOf(
  schema: z.core.$ZodType,
  path: readonly string[] = [],
  inherited: { class: KeyClass; reload: Reload } = { class: 'A', reload: 'live' },
): ConfigKey[] {
  const found = unwrap(schema)
  const support = { class: found.meta.class ?? inherited.class, reload: found.meta.reload ?? inherited.reload }
  const { kind, type, element } = describeType(found)
  const self: ConfigKey = {
    name: path.join('.'),
    path,
    kind,
    type,
    section: found.section,
    description: found.section ? undefined : found.meta.description,
    ...support,
    default: found.section ? undefined : found.default,
    element,
  }
  const keys = path.length === 0 ? [] : [self]
  const def = found.schema._zod.def
  if (def.type === 'object') {
    for (const [name, child] of Object.entries(def.shape)) keys.push(...keysOf(child, [...path, name], support))
  }
  return keys
}

let all: readonly ConfigKey[] | undefined

/** Every key of the configuration, in the order of the schema. */
export function configKeys(): readonly ConfigKey[] {
  all ??= keysOf(configSchema)
  return all
}
