import type { DecodeOptions, OpenedCookie } from './securecookie.ts'
import { isYoungEnough, openSecureCookie } from './securecookie.ts'

/**
 * Remembers cookies that were found authentic, so that a busy session costs one decryption and not one per request.
 *
 * Only authentic values get in, so nobody without a secret can fill it or probe it. It is bound to the identity of the
 * secrets array: a reload that brings another array empties it, and a removed secret stops working at once. The age is
 * checked on every hit. Whether the session still exists is never remembered here.
 */
export class CookieCache {
  private readonly entries = new Map<string, OpenedCookie>()
  private readonly limit: number
  private secrets: readonly string[] | undefined

  /** @param limit entries, about 1.5 KB each */
  constructor(limit = 10_000) {
    this.limit = limit
  }

  get size(): number {
    return this.entries.size
  }

  /** Same answer as `decodeSecureCookie`. Callers must not change the result. */
  decode(opts: DecodeOptions): Readonly<Record<string, string>> | undefined {
    if (opts.secrets !== this.secrets) {
      this.entries.clear()
      this.secrets = opts.secrets
    }
    const key = `${opts.name}=${opts.value}`
    const known = this.entries.get(key)
    if (known !== undefined) {
      this.entries.delete(key)
      if (!isYoungEnough(known.timestamp, opts)) return undefined
      this.entries.set(key, known)
      return known.values
    }
    const opened = openSecureCookie(opts)
    if (opened === undefined) return undefined
    if (this.entries.size >= this.limit) this.evictOldest()
    this.entries.set(key, opened)
    return opened.values
  }

  private evictOldest(): void {
    const oldest = this.entries.keys().next()
    if (!oldest.done) this.entries.delete(oldest.value)
  }
}
