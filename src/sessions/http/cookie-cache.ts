import type { DecodeOptions, OpenedCookie } from '../../kernel/crypto/cookies/securecookie.ts'
import { isYoungEnough, openSecureCookie } from '../../kernel/crypto/cookies/securecookie.ts'

/**
 * Caches authentic cookies, so that a busy session costs one decryption and not one per request.
 *
 * Only authentic values are cached, so no client without a secret can fill or probe it. It is bound to the name of the cookie
 * and to the identity of the secrets array: a reload that brings another array empties it, and a removed secret stops
 * working at once. The age is checked on every hit. Whether the session still exists is never cached here.
 */
export class CookieCache {
  private readonly entries = new Map<string, OpenedCookie & { used: boolean }>()
  private readonly limit: number
  private secrets: readonly string[] | undefined
  private name: string | undefined

  /** @param limit entries, about 1.5 KB each */
  constructor(limit = 10_000) {
    this.limit = limit
  }

  get size(): number {
    return this.entries.size
  }

  /** Same answer as `decodeSecureCookie`. Callers must not change the result. */
  decode(opts: DecodeOptions): Readonly<Record<string, string>> | undefined {
    if (opts.secrets !== this.secrets || opts.name !== this.name) {
      this.entries.clear()
      this.secrets = opts.secrets
      this.name = opts.name
    }
    const known = this.entries.get(opts.value)
    if (known !== undefined) {
      if (isYoungEnough(known.timestamp, opts)) {
        known.used = true
        return known.values
      }
      this.entries.delete(opts.value)
      return undefined
    }
    const opened = openSecureCookie(opts)
    if (opened === undefined) return undefined
    if (this.entries.size >= this.limit) this.evict()
    this.entries.set(opts.value, { ...opened, used: false })
    return opened.values
  }

  /** The oldest entry without a hit since the last check: a hit only sets a mark, and moves nothing. */
  private evict(): void {
    for (const [value, cookie] of this.entries) {
      this.entries.delete(value)
      if (!cookie.used) return
      cookie.used = false
      this.entries.set(value, cookie)
    }
  }
}
