import type { FastifyRequest } from 'fastify'

interface AcceptSpec {
  type: string
  q: number
}

/** Browsers send some 150 characters; the rest is ignored. */
const MAX_ACCEPT = 4096

function parseAccept(header: string): AcceptSpec[] {
  return header
    .slice(0, MAX_ACCEPT)
    .split(',')
    .flatMap((part) => {
      const [type = '', ...params] = part.split(';').map((p) => p.trim())
      if (type === '') return []
      const q = params.find((p) => /^q=/i.test(p))
      const value = q === undefined ? 1 : Number(q.slice(2))
      return [{ type: type.toLowerCase(), q: Number.isFinite(value) ? value : 0 }]
    })
}

/** How exactly a spec names an offer: 0 exact, 1 `type/*`, 2 any; undefined when it does not. */
function wildness(spec: string, offer: string): 0 | 1 | 2 | undefined {
  if (spec === '*/*') return 2
  if (spec.endsWith('/*')) return offer.startsWith(spec.slice(0, -1)) ? 1 : undefined
  return spec === offer ? 0 : undefined
}

/**
 * Picks the offer that the Accept header prefers: higher quality first, then the more exact match, then the
 * earlier offer. Without a usable header, or if none matches, the first offer wins.
 */
function negotiate(header: string, offers: readonly [string, ...string[]]): string {
  const specs = parseAccept(header)
  let best = { offer: offers[0], q: -1, wild: 3 }
  for (const offer of offers) {
    for (const spec of specs) {
      const wild = wildness(spec.type, offer)
      if (wild === undefined || spec.q === 0 || spec.q < best.q) continue
      if (spec.q > best.q || wild < best.wild) best = { offer, q: spec.q, wild }
    }
  }
  return best.offer
}

/**
 * Whether the Accept header prefers JSON to HTML. No header or one that takes
 * anything means HTML, a wildcard within `application` means JSON, as in Kratos.
 */
export function acceptsJson(req: FastifyRequest): boolean {
  return negotiate(String(req.headers.accept ?? ''), ['text/html', 'application/json']) === 'application/json'
}

/**
 * Whether the client is a script rather than a browser page: it prefers JSON, or says that it sends JSON. Kratos compares
 * the header literally, with or without a body: with a charset behind the type it counts as a browser's.
 */
export function isJsonRequest(req: FastifyRequest): boolean {
  return acceptsJson(req) || req.headers['content-type'] === 'application/json'
}

/** The media type of the body, lower case, without parameters; empty when there is none. */
export function mediaType(req: FastifyRequest): string {
  return (req.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
}

/** Browsers prefetch links: the person has not clicked yet. */
export function isSpeculative(req: FastifyRequest): boolean {
  const purposes = [req.headers['sec-purpose'], req.headers.purpose, req.headers['x-purpose'], req.headers['x-moz']]
  return purposes.some((purpose) => /\b(prefetch|prerender|preview)\b/i.test(String(purpose ?? '')))
}
