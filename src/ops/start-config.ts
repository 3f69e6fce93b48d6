import type { Writable } from 'node:stream'
import { ConfigError, type LoadedConfig, type LoadOptions, loadConfig } from '../config/load.ts'
import type { Logger } from '../kernel/base/log.ts'

/** Reads the configuration at the start of the server. @returns undefined when it cannot be used; the reasons are logged */
export function readConfig(
  options: Required<Pick<LoadOptions, 'files' | 'env' | 'random'>> & { dev: boolean; stderr: Writable },
): LoadedConfig | undefined {
  try {
    return loadConfig({ files: options.files, env: options.env, flags: options, random: options.random })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    options.stderr.write(`${error.message}\n\nError: the configuration is not valid, see above\n`)
    return undefined
  }
}

export function logWarnings(loaded: LoadedConfig, log: Logger): void {
  for (const { message, keys } of loaded.warnings) log.warn({ keys }, message)
  if (loaded.dev) log.warn('development mode: cookies are not Secure and weak hashes are allowed; not for production')
}
