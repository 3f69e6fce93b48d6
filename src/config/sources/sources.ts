import type { ConfigProblem } from '../checks/problems.ts'

export type Tree = Record<string, unknown>

/** A file after parsing. */
export interface Source {
  readonly file: string
  readonly data: Tree
  /** line of each path, the path joined by `pathKey` */
  readonly lines: ReadonlyMap<string, number>
  /** `syntax`: the file cannot be parsed, so its content cannot be checked */
  readonly problems: readonly (ConfigProblem & { readonly syntax?: boolean })[]
}

/** Segments of a path as one map key. Names may contain dots, hence not a dot. */
export const pathKey = (path: readonly string[]) => path.join('\u0000')

export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** A source of which only one problem can be reported. */
export function unusable(file: string, reason: string, line?: number, hint?: string): Source {
  const problem = { file, line, path: '', value: undefined, reason, hint, syntax: true }
  return { file, data: {}, lines: new Map(), problems: [problem] }
}

/** `over` replaces `base`: maps key by key, anything else as a whole. */
export function merge(base: unknown, over: unknown): unknown {
  if (!isTree(base) || !isTree(over)) return over
  const out = { ...base }
  for (const [name, value] of Object.entries(over)) {
    if (name === '__proto__') continue
    out[name] = Object.hasOwn(base, name) ? merge(base[name], value) : value
  }
  return out
}

/** The value at a path, or undefined. */
export function at(tree: unknown, path: readonly string[]): unknown {
  let value = tree
  for (const segment of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined
    value = (value as Tree)[segment]
  }
  return value
}
