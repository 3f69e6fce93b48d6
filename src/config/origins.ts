import { parseUrl } from '../kernel/base/url.ts'

/** Stands for the wildcard while the rest is read as a URL: a label that no host has. */
const STAND_IN = 'wildcard-d3b07384'

/**
 * An entry of `allowed_origins` as browsers write an origin: small letters, names in ASCII, no default port, no path. Undefined
 * for one that names something narrower or other than an origin, which no request can match.
 */
export function originAsSent(entry: string): string | undefined {
  if (entry === '*') return entry
  const text = entry.replace(/(?<!\/)\/\*?$/, '').toLowerCase()
  // behind a wildcard that is scheme or port nothing is left to be read as a URL
  if (/^\*|^[^:/]*\*|:\*$/.test(text)) return /^[^/]*:\/\/[^/?#@]+$|^\*[^/?#@]*$/.test(text) ? text : undefined
  const url = parseUrl(text.replace('*', STAND_IN))
  if (!url || !/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\]+$/.test(text) || url.protocol === 'file:') return undefined
  const origin = /^https?:$/.test(url.protocol) ? url.origin : text
  return origin.replace(STAND_IN, '*')
}
