import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** The settings of the routes at a path, one for each method that it has. */
    routesAt(path: string): { method: string; config: FastifyContextConfig }[]
  }
}

/** Collects the routes of an instance as they are added; must be installed before the first of them. */
function installRouteTable(app: FastifyInstance): void {
  const table: { pattern: RegExp; method: string; config: FastifyContextConfig }[] = []
  app.addHook('onRoute', ({ url, method, config = {} }) => {
    for (const one of [method].flat()) table.push({ pattern: toPattern(url), method: one, config })
  })
  app.decorate('routesAt', (path) => table.filter(({ pattern }) => pattern.test(path)))
}

function toPattern(url: string): RegExp {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:[A-Za-z]+/g, '[^/]+')
    .replace('*', '.*')
  return new RegExp(`^${source}$`)
}

/** Removes empty and dot segments; a trailing slash stays, since it names another resource. */
function cleanPath(path: string): string {
  const out: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') out.pop()
    else if (segment !== '' && segment !== '.') out.push(segment)
  }
  const slash = path.length > 1 && /\/\.{0,2}$/.test(path) && out.length > 0 ? '/' : ''
  return `/${out.join('/')}${slash}`
}

/**
 * Answers requests that match no route: an unclean path is sent to its clean form, a known path with another method is 405,
 * everything else 404; in plain text, as Go's router answers.
 */
export function installNotFound(app: FastifyInstance): void {
  installRouteTable(app)
  // A parameter is one non-empty segment: `/sessions/` is no session without a name.
  app.addHook('onRequest', (req, reply, done) => {
    if (Object.values((req.params ?? {}) as Record<string, string>).includes('')) reply.callNotFound()
    else done()
  })
  app.setNotFoundHandler((req: FastifyRequest, reply: FastifyReply) => {
    const [path = '/', query] = splitUrl(req.url)
    const clean = cleanPath(path)
    if (clean !== path) return reply.redirect(query === undefined ? clean : `${clean}?${query}`, 307)
    const methods = new Set(app.routesAt(path).map(({ method }) => method))
    // Go's router serves HEAD with GET, and says so.
    if (methods.has('GET')) methods.add('HEAD')
    if (methods.size > 0) return methodNotAllowed(reply, [...methods].sort())
    return plain(reply, 404, '404 page not found\n')
  })
}

export function methodNotAllowed(reply: FastifyReply, allowed: string[]): FastifyReply {
  return plain(reply.header('allow', allowed.join(', ')), 405, 'Method Not Allowed\n')
}

export function splitUrl(url: string): [string, string | undefined] {
  const at = url.indexOf('?')
  return at < 0 ? [url, undefined] : [url.slice(0, at), url.slice(at + 1)]
}

function plain(reply: FastifyReply, code: number, text: string): FastifyReply {
  return reply
    .code(code)
    .headers({ 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
    .send(text)
}
