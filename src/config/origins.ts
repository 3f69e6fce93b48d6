import { parseUrl } from '../kernel/base/url.ts'

/** Replaces the wildcard while the rest is parsed as a URL: a label that no host has. */
const STAND_IN = 'wildcard-d3b07384'

/**
 * An entry of `allowed_origins` as browsers write an origin: lower case, names in ASCII, no default port, no path. Undefined
 * for an entry that is narrower than an origin or none at all, which no request can match.
 */
export function originAsSent(entry: string): string | undefined {
  if (entry === '*') return entry
  const text = entry.replace(/(?<!\/)\/\*?$/, '').toLowerCase()
  // a wildcard for scheme or port leaves nothing that parses as a URL
  if (/^\*|^[^:/]*\*|:\*$/.test(text)) return /^[^/]*:\/\/[^/?#@]+$|^\*[^/?#@]*$/.test(text) ? text : undefined
  const url = parseUrl(text.replace('*', STAND_IN))
  if (!url || !/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\]+$/.test(text) || url.protocol === 'file:') return undefined
  const origin = /^https?:$/.test(url.protocol) ? url.origin : text
  return origin.replace(STAND_IN, '*')
}
