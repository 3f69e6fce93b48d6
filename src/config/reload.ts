import { isDeepStrictEqual } from 'node:util'
import { deepFreeze, type LoadedConfig, type LoadOptions, loadConfig } from './load.ts'
import type { Config } from './schema/schema.ts'
import { configKeys } from './sources/keys.ts'
import { at, type Tree } from './sources/sources.ts'

/** A configuration that differs from the one in force. */
export interface ConfigChange {
  /** what is in force from now on: the new values, except for keys that need a restart */
  readonly loaded: LoadedConfig
  /** dotted paths of changed keys that take effect at once */
  readonly live: readonly string[]
  /** dotted paths of changed keys that wait for a restart */
  readonly restart: readonly string[]
}

/** Names of the keys in which two configurations differ, by what it takes to apply them. */
export function changedKeys(before: Config, after: Config): { live: string[]; restart: string[] } {
  const live: string[] = []
  const restart: string[] = []
  for (const key of configKeys()) {
    if (key.description === undefined) continue
    if (isDeepStrictEqual(at(before, key.path), at(after, key.path))) continue
    if (key.reload === 'start') restart.push(key.name)
    else live.push(key.name)
  }
  return { live, restart }
}

/**
 * Loads again. Random secrets of the first start are kept, otherwise every reload would sign everyone out.
 *
 * @returns undefined when nothing changed
 * @throws ConfigError when the new configuration cannot be used; the present one stays in force
 */
export function reloadConfig(current: LoadedConfig, options: LoadOptions): ConfigChange | undefined {
  const [made] = current.generatedSecrets ? current.config.secrets.default : []
  const random = made === undefined ? options.random : () => Buffer.from(made, 'base64url')
  const next = loadConfig({ ...options, ...(random ? { random } : {}) })
  if (next.hash === current.hash) return undefined
  const { live, restart } = changedKeys(current.config, next.config)
  const config = structuredClone(next.config) as Config
  for (const name of restart) put(config, name.split('.'), at(current.config, name.split('.')))
  return { loaded: deepFreeze({ ...next, dev: current.dev, config }), live, restart }
}

function put(tree: unknown, path: readonly string[], value: unknown): void {
  const holder = at(tree, path.slice(0, -1)) as Tree
  const name = path.at(-1)!
  if (value === undefined) delete holder[name]
  else holder[name] = value
}
