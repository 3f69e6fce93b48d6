import type { EnvSource } from '../sources/env.ts'
import { at, pathKey, type Source, type Tree } from '../sources/sources.ts'
import { type ConfigProblem, showValue } from './problems.ts'

/** Everything that was read, and the result. */
export interface Loaded {
  readonly sources: readonly Source[]
  readonly env: EnvSource
  readonly merged: Tree
}

/** Makes a problem from a path and a reason: finds file, line and value. `inside`: the name in question below the path. */
export function problemAt(
  loaded: Loaded,
  path: readonly string[],
  reason: string,
  options: { hint?: string | undefined; inside?: string } = {},
): ConfigProblem {
  const place = options.inside === undefined ? path : [...path, options.inside]
  return {
    ...locate(loaded, place),
    path: path.length === 0 ? '(root)' : path.join('.'),
    value: options.inside === undefined ? showValue(at(loaded.merged, path), path) : undefined,
    reason,
    hint: options.hint,
  }
}

/** The variable or the last file that set the path, or else the nearest path above it. */
function locate({ sources, env }: Loaded, path: readonly string[]): { file: string; line: number | undefined } {
  for (let length = path.length; length > 0; length--) {
    const name = pathKey(path.slice(0, length))
    const variable = env.variables.get(name)
    if (variable !== undefined) return { file: `environment variable ${variable}`, line: undefined }
    for (const source of [...sources].reverse()) {
      const line = source.lines.get(name)
      if (line !== undefined) return { file: source.file, line }
    }
  }
  return { file: sources.at(-1)?.file ?? 'environment', line: undefined }
}
