import { Document, isScalar } from 'yaml'
import { problemAt } from '../../config/checks/locate.ts'
import { ConfigError } from '../../config/checks/problems.ts'
import { isSensitivePath, shownText } from '../../config/checks/sensitive.ts'
import { readAll } from '../../config/load.ts'
import type { Env } from '../../config/sources/env.ts'
import { configKeys } from '../../config/sources/keys.ts'
import { at, isTree, type Tree } from '../../config/sources/sources.ts'

export interface ShownConfig {
  /** without secrets */
  tree: Tree
  /** file and line, variable, or `default` */
  origin(path: readonly string[]): string
}

/**
 * What is configured, as it stands in files and environment, unchecked but for what cannot be read.
 * @throws ConfigError
 */
export function shownConfig(options: { files: string[]; env: Env; defaults: boolean }): ShownConfig {
  const { loaded, problems } = readAll(options)
  if (problems.length > 0) throw new ConfigError(problems)
  const tree = structuredClone(loaded.merged)
  if (options.defaults) addDefaults(tree)
  return {
    tree: hide(tree, []) as Tree,
    origin(path) {
      if (at(loaded.merged, path) === undefined) return 'default'
      const { file, line } = problemAt(loaded, path, '')
      return line === undefined ? file : `${file}:${line}`
    },
  }
}

/** YAML in which each value has its origin behind it. */
export function annotated({ tree, origin }: ShownConfig): string {
  const document = new Document(tree)
  for (const path of leavesOf(tree, [])) {
    const node = document.getIn(path, true)
    if (isScalar(node)) node.comment = ` ${origin(path)}`
  }
  return document.toString({ lineWidth: 0 })
}

function addDefaults(tree: Tree): void {
  for (const { path, section, default: value } of configKeys()) {
    if (section || value === undefined || at(tree, path) !== undefined) continue
    const parents = path.slice(0, -1)
    let node = tree
    for (const name of parents) {
      node[name] ??= {}
      if (!isTree(node[name])) break
      node = node[name]
    }
    if (at(tree, parents) === node || parents.length === 0) node[path.at(-1)!] = structuredClone(value)
  }
}

function hide(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((entry, index) => hide(entry, [...path, String(index)]))
  if (isTree(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hide(inner, [...path, name])]))
  }
  if (typeof value === 'number' && isSensitivePath(path)) return '[redacted]'
  if (typeof value !== 'string') return value
  return isSensitivePath(path) ? '[redacted]' : shownText(value)
}

function leavesOf(value: unknown, path: string[]): string[][] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]))
}
