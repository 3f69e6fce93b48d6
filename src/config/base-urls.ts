import { socketHost } from './listen-host.ts'
import type { Config } from './schema/schema.ts'

/** What the addresses depend on beside the configuration. `hostname` is the machine's name, default `localhost`. */
export interface BaseUrlContext {
  readonly dev: boolean
  readonly hostname?: string
}

/**
 * Address of the public API: the configured text unchanged (the name of the anti-CSRF cookie is a hash of it), or
 * one made from host and port, which ends in a slash. Outside dev mode that one says `https` even when TLS ends
 * at a proxy.
 */
export function publicBaseUrl(config: Config, context: BaseUrlContext): string {
  return config.serve.public.base_url ?? derived(config.serve.public, context)
}

/** Address of the admin API, as `publicBaseUrl`. */
export function adminBaseUrl(config: Config, context: BaseUrlContext): string {
  return config.serve.admin.base_url ?? derived(config.serve.admin, context)
}

function derived(listener: { readonly host: string; readonly port: number }, context: BaseUrlContext): string {
  const everywhere = listener.host === '0.0.0.0' || listener.host === '' || socketHost(listener.host) === '::'
  const name = everywhere || listener.host.startsWith('unix:') ? (context.hostname ?? 'localhost') : listener.host
  const host = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name
  return `${context.dev ? 'http' : 'https'}://${host}:${listener.port}/`
}
