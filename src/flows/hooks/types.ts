import type { WebHookConfig } from '../../config/schema/hooks.ts'
import type { Amendment } from '../../identities/changes.ts'
import type { JsonObject } from '../../identities/types.ts'

/** A hook in the configuration. */
export type ConfiguredHook = { hook: string; config?: unknown }
export type WebHook = WebHookConfig

/** Of the request that a hook, or a message, belongs to. Receivers of hooks get all but the network. */
export interface RequestFacts {
  method: string
  /** path and query as they arrived */
  target: string
  /** of the names in `clients.web_hook.header_allowlist`, spelled as in HTTP/1 */
  headers: Record<string, string[]>
  /** of the names in `lethe.web_hooks.cookies` */
  cookies: Record<string, string>
  /** the key of limits; undefined where it is unknown, or many people share it */
  network: string | undefined
}

/** The input of a web hook's template: its `ctx`. */
export interface HookContext {
  /** as clients see it, with the payload that was sent */
  flow: object
  request: RequestFacts
  /** as it would be stored, without credentials */
  identity?: JsonObject
  session?: object
  /** the id of an identity that is not stored yet: `ctx.identity.id` is all zeros then, as in Kratos */
  newIdentityId?: string
}

/** What an answer changes in the identity, before it is stored. */
export type IdentityChange = Amendment
