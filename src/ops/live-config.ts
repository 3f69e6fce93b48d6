import { isDeepStrictEqual } from 'node:util'
import type { LoadedConfig, LoadOptions } from '../config/load.ts'
import type { Config } from '../config/schema/schema.ts'
import { type WatchOptions, watchConfig } from '../config/watch.ts'
import { createMessageTemplates, type MessageTemplates } from '../courier/templates/templates.ts'
import { createSchemas, type Schemas } from '../identities/schema/schemas.ts'
import type { Logger } from '../kernel/base/log.ts'
import { createTokenTemplates, type TokenTemplates } from '../tokens/templates.ts'

/** The configuration in force, swapped whole by a reload. */
export interface LiveConfig {
  dev: boolean
  config(): Config
  schemas(): Schemas
  tokenTemplates(): TokenTemplates
  messageTemplates(): MessageTemplates
  hash(): string
  /** @param listener called after each successful reload */
  onReload(listener: () => void): void
  close(): void
}

/**
 * Checks what the schema of the configuration cannot (identity schemas, templates of tokens and messages), then watches the
 * files. A change that cannot be used leaves everything as it is.
 * @param options `cwd` is where relative `file://` addresses start, `watch` what to watch instead of the files
 * @throws SchemaLoadError, TokenTemplateError, MessageTemplateError, UnreadTemplate
 */
export async function createLiveConfig(
  options: LoadOptions & { cwd: string; watch?: ((options: WatchOptions) => { close(): void }) | undefined },
  loaded: LoadedConfig,
  log: Logger,
): Promise<LiveConfig> {
  const withDocuments = async (next: LoadedConfig) => {
    const schemas = await createSchemas(next.config, options.cwd)
    const tokenTemplates = await createTokenTemplates(next.config, options.cwd, () => performance.now())
    for (const { key, reason } of tokenTemplates.unread)
      log.warn({ keys: [key], reason }, 'a token template cannot be used')
    for (const { key, reason } of tokenTemplates.doubts)
      log.warn({ keys: [key], reason }, 'a claims mapper may fail when a token is made')
    const messageTemplates = await createMessageTemplates(
      next.config,
      options.cwd,
      () => performance.now(),
      ({ key, error }) =>
        log.error({ keys: [key], reason: error.message }, 'a message template failed; the built-in text was sent'),
    )
    for (const { key, reason } of messageTemplates.doubts)
      log.warn({ keys: [key], reason }, 'a message template may not be used')
    return { loaded: next, schemas, tokenTemplates, messageTemplates }
  }
  let current = await withDocuments(loaded)
  const listeners: (() => void)[] = []
  const { watch = watchConfig, ...load } = options
  const watcher = watch({
    ...load,
    initial: loaded,
    async onChange({ loaded: next, live, restart }) {
      const known = current.loaded.warnings
      current = await withDocuments(next)
      log.info({ keys: live }, 'configuration reloaded')
      for (const warning of next.warnings) {
        if (!known.some((one) => isDeepStrictEqual(one, warning))) log.warn({ keys: warning.keys }, warning.message)
      }
      for (const listener of listeners) listener()
      if (restart.length > 0) log.warn({ keys: restart }, 'configuration keys changed that take effect after a restart')
    },
    onError: (err) =>
      log.error({ err }, 'the configuration was changed and cannot be used; the old one stays in force'),
  })
  return {
    dev: loaded.dev,
    config: () => current.loaded.config,
    schemas: () => current.schemas,
    tokenTemplates: () => current.tokenTemplates,
    messageTemplates: () => current.messageTemplates,
    hash: () => current.loaded.hash,
    onReload: (listener) => void listeners.push(listener),
    close: () => watcher.close(),
  }
}
