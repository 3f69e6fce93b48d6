import { z } from 'zod'
import { courier } from './courier.ts'
import { key, section, uriOrPath } from './fields.ts'
import { flows } from './flows.ts'
import { lethe } from './lethe.ts'
import { methods } from './methods.ts'
import { clients, database, featureFlags, general, identity, oauth2Provider, security, tracing } from './misc.ts'
import { log, serve } from './serve.ts'
import { ciphers, cookies, hashers, secrets, session } from './session.ts'

/**
 * Every key of the configuration file: its type, default, meaning, support class and reload behaviour. The
 * documentation, the JSON schema and the names of the environment variables are made from it.
 */
export const configSchema = z.strictObject({
  ...general,
  serve,
  session,
  cookies,
  secrets,
  ciphers,
  hashers,
  selfservice: section({
    default_browser_return_url: key(uriOrPath(), 'Where browsers go when nothing more specific is set. Required.'),
    allowed_return_urls: key(
      z.array(z.string()).default([]),
      'Where `return_to` may lead. Scheme and host must match, the path is compared by characters from its start, after dot segments are resolved; a host may begin with `*.`.',
    ),
    flows,
    methods,
  }),
  identity,
  database,
  log,
  courier,
  oauth2_provider: oauth2Provider,
  tracing,
  clients,
  security,
  feature_flags: featureFlags,
  lethe,
})

type DeepReadonly<T> = T extends readonly (infer I)[]
  ? readonly DeepReadonly<I>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/** The configuration with every default filled in, frozen. Durations are milliseconds, sizes are bytes. */
export type Config = DeepReadonly<z.output<typeof configSchema>>
/** What may stand in a file. */
export type ConfigInput = z.input<typeof configSchema>
export { adminBaseUrl, publicBaseUrl } from '../base-urls.ts'
export type { EventWebhook } from './events.ts'
export type { LoginHook, RegistrationHook } from './hooks.ts'
