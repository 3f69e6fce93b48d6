import { isIP } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type CookieAttributes, cookieValues } from '../cookies.ts'
import { splitUrl } from '../not-found.ts'

/** The most names and paths that are tried: answers grow by a line for each, and proxies keep 4 kB of headers. */
const MAX_DOMAINS = 3
const MAX_SEGMENTS = 3

/**
 * Whether a browser sent several cookies of one name. It keeps one for each domain and path: old ones stay where
 * `cookies.domain` or `cookies.path` changed, and a page of a sibling domain can plant one.
 */
export const hasTwins = (req: FastifyRequest, name: string): boolean => cookieValues(req, name).length > 1

/**
 * Expires every cookie of the name that a browser can have sent with this request, except the one that `kept` describes: the
 * header names neither domain nor path, so each possible one is expired.
 * @param publicUrl the path that browsers see begins with that of this address
 */
export function expireTwins(req: FastifyRequest, reply: FastifyReply, kept: CookieAttributes, publicUrl: URL): void {
  const secure = kept.secure ? '; Secure' : ''
  for (const path of pathsOf(req, publicUrl)) {
    for (const domain of domainsOf(req, kept, publicUrl)) {
      if (path === kept.path && domain === (kept.domain ?? '').replace(/^\./, '')) continue
      const at = domain === '' ? '' : `; Domain=${domain}`
      reply.header('set-cookie', `${kept.name}=; Path=${path}${at}; Max-Age=0${secure}`)
    }
  }
}

/** The paths above that of the request, with and without a slash at the end: each may have a cookie of its own. */
function pathsOf(req: FastifyRequest, publicUrl: URL): string[] {
  const segments = [publicUrl.pathname, splitUrl(req.url)[0]].join('/').split('/').filter(Boolean)
  const paths = ['/']
  for (let depth = 1; depth <= Math.min(segments.length, MAX_SEGMENTS); depth++) {
    const path = `/${segments.slice(0, depth).join('/')}`
    paths.push(path)
    if (depth < segments.length) paths.push(`${path}/`)
  }
  return paths.filter((path) => /^[\w./~-]*$/.test(path))
}

/** No domain, then each name from the host up to two labels; browsers refuse public suffixes. */
function domainsOf(req: FastifyRequest, kept: CookieAttributes, publicUrl: URL): string[] {
  if (kept.name.startsWith('__Host-')) return ['']
  const host = req.hostname.toLowerCase()
  const names = [host, publicUrl.hostname, (kept.domain ?? '').replace(/^\./, '')].filter(isDomain)
  const suffixes = names.flatMap((name) => {
    const labels = name.split('.')
    const first = Math.max(0, labels.length - 1 - MAX_DOMAINS)
    return labels.slice(first, -1).map((_, at) => labels.slice(first + at).join('.'))
  })
  return [...new Set(['', ...suffixes])]
}

const isDomain = (name: string) => name.length <= 253 && isIP(name) === 0 && /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(name)
