const SAFE_SCHEMES = new Set(['http', 'https', 'mailto'])

/** Whether a URL has no scheme or one that only leads somewhere. */
export function isSafeUrl(text: string): boolean {
  const colon = text.indexOf(':')
  if (colon < 0) return true
  const scheme = text.slice(0, colon)
  return scheme.includes('/') || SAFE_SCHEMES.has(scheme.toLowerCase())
}

/**
 * Encodes what a URL may not hold.
 *
 * @param whole it is a URL: what has a meaning in one stays; otherwise a part, in which nothing has
 */
export function processUrl(text: string, whole: boolean): string {
  const keep = whole ? /(?:[\w\-.~!#$&*+,/:;=?@[\]]|%(?=[0-9a-fA-F]{2}))+/y : /[\w\-.~]+/y
  const bytes = Buffer.from(text).toString('latin1')
  const out: string[] = []
  for (let at = 0; at < bytes.length; ) {
    keep.lastIndex = at
    const kept = keep.exec(bytes)?.[0]
    if (kept) {
      out.push(kept)
      at += kept.length
    } else out.push(`%${bytes.charCodeAt(at++).toString(16).padStart(2, '0')}`)
  }
  return out.join('')
}

/** Images with their sizes, each judged for itself. */
export function filterSrcset(text: string, refused: string): string {
  return text
    .split(',')
    .map((image) => {
      const [, before = '', url = '', size = ''] = /^([\t\n\f\r ]*)([^\t\n\f\r ]*)(.*)$/s.exec(image) ?? []
      return isSafeUrl(url) && /^[\t\n\f\r 0-9A-Za-z]*$/.test(size) ? before + processUrl(url, true) + size : refused
    })
    .join(',')
}
