import { z } from 'zod'
import { configSchema } from '../schema/schema.ts'

/**
 * Whether a value at this path must be hidden: the schema marks it or something above it, or does not know it. An
 * unknown name may be a misspelt `client_secret`, and open sections take anything.
 */
export function isSensitivePath(path: readonly string[]): boolean {
  return hidden(configSchema, path)
}

function hidden(outer: z.core.$ZodType, path: readonly string[]): boolean {
  if (isMarked(outer)) return true
  const inner = innerOf(outer)
  if (inner) return hidden(inner, path)
  const [name, ...rest] = path
  const { def } = (outer as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'union':
      return def.options.every((option) => hidden(option, path)) || def.options.some((option) => marked(option, path))
    case 'array':
      return name === undefined ? holdsSecrets(outer) : hidden(def.element, rest)
    case 'record':
      return name === undefined ? holdsSecrets(outer) : hidden(def.valueType, rest)
    case 'object': {
      if (name === undefined) return holdsSecrets(outer)
      const child = Object.hasOwn(def.shape, name) ? def.shape[name] : undefined
      return child === undefined ? true : hidden(child, rest)
    }
    default:
      return path.length > 0 || takesAnything(def)
  }
}

/** A text where a list or a map should be may be the secret that belongs into it: `cookie: SECRET` for `cookie: [SECRET]`. */
function holdsSecrets(outer: z.core.$ZodType): boolean {
  if (isMarked(outer)) return true
  const inner = innerOf(outer)
  if (inner) return holdsSecrets(inner)
  const { def } = (outer as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'array':
      return holdsSecrets(def.element)
    case 'record':
      return holdsSecrets(def.valueType)
    case 'union':
      return def.options.some(holdsSecrets)
    case 'object':
      return Object.values(def.shape).some(holdsSecrets)
    default:
      return takesAnything(def)
  }
}

const isMarked = (schema: z.core.$ZodType) =>
  (z.globalRegistry.get(schema) as { sensitive?: boolean } | undefined)?.sensitive === true

const takesAnything = ({ type }: { type: string }) => type === 'unknown' || type === 'any'

/** What a default, an optional value or a conversion is laid around. */
function innerOf(outer: z.core.$ZodType): z.core.$ZodType | undefined {
  const { def } = (outer as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'default':
    case 'prefault':
    case 'optional':
    case 'nullable':
      return def.innerType
    case 'pipe':
      return def.in
    default:
      return undefined
  }
}

/** If one alternative marks the path, it is hidden in all of them. */
function marked(option: z.core.$ZodType, path: readonly string[]): boolean {
  return known(option, path) && hidden(option, path)
}

function known(option: z.core.$ZodType, [name]: readonly string[]): boolean {
  const { def } = (option as z.core.$ZodTypes)._zod
  return def.type !== 'object' || name === undefined || Object.hasOwn(def.shape, name)
}

const USERINFO = /:\/\/[^/@\s]*@/g
/** An address up to its query or fragment: receivers and hooks carry keys behind that. */
const BEHIND = /^([a-z][a-z0-9+.-]*:[^?#]*)[?#].*$/is

/** A text without the parts of an address that may hold secrets, and without the contents of `base64:` addresses. */
export function shownText(text: string): string {
  if (/^base64:/i.test(text)) return 'base64://[redacted]'
  return text.replace(USERINFO, '://[redacted]@').replace(BEHIND, '$1?[redacted]')
}
