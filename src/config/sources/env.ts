import type { z } from 'zod'
import { goBoolean } from '../../kernel/base/go-boolean.ts'
import { shortened } from '../../kernel/base/text.ts'
import { type ConfigProblem, showValue } from '../checks/problems.ts'
import { parseCsv } from './csv.ts'
import { isTooDeep, TOO_DEEP } from './depth.ts'
import { type ConfigKey, configKeys, type KeyKind, keysOf } from './keys.ts'
import { isTree, pathKey, type Tree } from './sources.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** What was read from the environment. */
export interface EnvSource {
  readonly data: Tree
  /** variable that set a path, by `pathKey` */
  readonly variables: ReadonlyMap<string, string>
  readonly problems: readonly ConfigProblem[]
  /** names of the variables that were used, sorted */
  readonly used: readonly string[]
}

// Names of keys that have no effect and that environments use for other things.
const NOT_OURS = new Set(['dev', 'help', 'config'])
const MAX_INDEX = 999

interface Found {
  path: string[]
  kind: KeyKind
}

/** Turns variables into a tree that is merged over the files. Names that match no key are ignored. */
export function readEnv(env: Env): EnvSource {
  const names = nameIndex(configKeys())
  const found: { name: string; text: string; key: Found }[] = []
  // Upper-case names last, so that they win over other spellings.
  for (const name of Object.keys(env).sort().reverse()) {
    const text = env[name]
    const key = text === undefined ? undefined : resolve(names, name.toUpperCase())
    if (text !== undefined && key && !NOT_OURS.has(key.path.join('.'))) found.push({ name, text, key })
  }
  // LOG='{"level":…}' before LOG_LEVEL: the more specific one wins.
  found.sort((a, b) => a.key.path.length - b.key.path.length)

  const data: Tree = {}
  const variables = new Map<string, string>()
  const problems: ConfigProblem[] = []
  for (const { name, text, key } of found) {
    const value = convert(text, key.kind)
    if (value instanceof Refused) {
      const path = key.path.join('.')
      const file = `environment variable ${name}`
      const shown = showValue(text, key.path)
      problems.push({ file, line: undefined, path, value: shown, reason: `${name}: ${value.reason}`, hint: value.hint })
    } else {
      set(data, key.path, value)
      rememberLists(variables, key.path, name)
      remember(variables, key.path, value, name)
    }
  }
  return { data, variables, problems, used: found.map((entry) => entry.name).sort() }
}

function nameIndex(keys: readonly ConfigKey[]): Map<string, ConfigKey> {
  return new Map(keys.map((key) => [key.path.join('_').toUpperCase(), key]))
}

const elementNames = new WeakMap<z.core.$ZodType, Map<string, ConfigKey>>()

function resolve(names: Map<string, ConfigKey>, name: string): Found | undefined {
  const exact = names.get(name)
  if (exact) return { path: [...exact.path], kind: exact.kind }
  for (const match of name.matchAll(/_([0-9]{1,3})(?=_|$)/g)) {
    const list = names.get(name.slice(0, match.index))
    const index = String(Number(match[1]))
    if (!list || Number(index) > MAX_INDEX) continue
    const rest = name.slice(match.index + match[0].length + 1)
    if (rest === '' && list.kind === 'strings') return { path: [...list.path, index], kind: 'string' }
    if (rest === '' || list.kind !== 'maps' || !list.element) continue
    const found = resolve(namesInside(list.element), rest)
    if (found) return { path: [...list.path, index, ...found.path], kind: found.kind }
  }
  return undefined
}

function namesInside(element: z.core.$ZodType): Map<string, ConfigKey> {
  const known = elementNames.get(element)
  if (known) return known
  const made = nameIndex(keysOf(element))
  elementNames.set(element, made)
  return made
}

class Refused {
  readonly reason: string
  readonly hint: string
  constructor(reason: string, hint: string) {
    this.reason = reason
    this.hint = hint
  }
}

/**
 * Kratos reads an unreadable boolean as false and an unreadable number as 0, and logs nothing. With
 * SELFSERVICE_METHODS_PASSWORD_ENABLED=junk there would be no login by password, so it is refused here.
 */
function convert(text: string, kind: KeyKind): unknown {
  if (['strings', 'maps', 'map'].includes(kind) && isTooDeep(text)) return new Refused(TOO_DEEP, 'write it flatter')
  switch (kind) {
    case 'boolean':
      return goBoolean(text) ?? new Refused(`expected boolean, but got ${quoted(text)}`, 'say true or false')
    case 'number':
      return /^[+-]?[0-9]+(\.[0-9]+)?$/.test(text)
        ? Number(text)
        : new Refused(`expected number, but got ${quoted(text)}`, 'write it in digits')
    case 'strings': {
      const list = json(text)
      return Array.isArray(list) ? list : parseCsv(text)
    }
    case 'maps':
    case 'map':
      return json(text) ?? text
    default:
      return text
  }
}

const quoted = (text: string) => JSON.stringify(shortened(text, 80))

function json(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A gap in an index list stays null, which the schema then refuses. */
function set(data: Tree, path: readonly string[], value: unknown): void {
  let node: Tree | unknown[] = data
  for (const [depth, segment] of path.entries()) {
    const last = depth === path.length - 1
    const index = Array.isArray(node) ? Number(segment) : segment
    if (Array.isArray(node)) while (node.length <= Number(index)) node.push(null)
    const holder = node as Tree
    if (last) holder[index] = value
    else {
      const present = holder[index]
      const usable: boolean = /^[0-9]+$/.test(path[depth + 1]!) ? Array.isArray(present) : isTree(present)
      if (!usable) holder[index] = /^[0-9]+$/.test(path[depth + 1]!) ? [] : {}
      node = holder[index] as Tree | unknown[]
    }
  }
}

/** A list that is made of entries by index replaces the one of the files: what it lacks is to be told of the variable. */
function rememberLists(variables: Map<string, string>, path: readonly string[], name: string): void {
  const first = path.findIndex((segment) => /^[0-9]+$/.test(segment))
  if (first < 0) return
  for (let length = first; length < path.length; length++) {
    const above = pathKey(path.slice(0, length))
    if (!variables.has(above)) variables.set(above, name)
  }
}

function remember(variables: Map<string, string>, path: readonly string[], value: unknown, name: string): void {
  variables.set(pathKey(path), name)
  if (typeof value !== 'object' || value === null) return
  for (const [inner, child] of Object.entries(value)) remember(variables, [...path, inner], child, name)
}
