import type { FastifyReply, FastifyRequest } from 'fastify'
import { originAsSent } from '../../config/origins.ts'
import type { Config } from '../../config/schema/schema.ts'

type CorsConfig = Config['serve']['public']['cors']

function originAllowed(cors: CorsConfig, origin: string): boolean {
  const asked = origin.toLowerCase()
  return cors.allowed_origins.some((entry) => {
    const allowed = originAsSent(entry)
    if (allowed === undefined) return false
    const star = allowed.indexOf('*')
    if (allowed === '*' || star < 0) return allowed === '*' || allowed === asked
    const [before, after] = [allowed.slice(0, star), allowed.slice(star + 1)]
    return asked.length >= before.length + after.length && asked.startsWith(before) && asked.endsWith(after)
  })
}

function allowOrigin(cors: CorsConfig, origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': cors.allowed_origins.includes('*') ? '*' : origin,
    ...(cors.allow_credentials ? { 'access-control-allow-credentials': 'true' } : {}),
  }
}

/**
 * Browsers send the names in lower case, sorted and each once; Kratos allows no other form. Proxies may add a blank
 * and leave elements empty.
 */
function headersAllowed(cors: CorsConfig, asked: string): boolean {
  const allowed = new Set(cors.allowed_headers.map((name) => name.toLowerCase()))
  if (asked === '' || allowed.has('*')) return true
  const elements = asked.split(',').map((element) => element.replace(/^[ \t]|[ \t]$/g, ''))
  const names = elements.filter((name) => name !== '')
  if (elements.length - names.length > MAX_EMPTY_ELEMENTS) return false
  return names.every((name, i) => allowed.has(name) && (i === 0 || names[i - 1]! < name))
}

const MAX_EMPTY_ELEMENTS = 16

/** OPTIONS is always allowed where anything is: it is the method of the preflight itself. */
function methodAllowed(cors: CorsConfig, method: string): boolean {
  return cors.allowed_methods.some((word) => word === method || method === 'OPTIONS')
}

function preflight(cors: CorsConfig, req: FastifyRequest, reply: FastifyReply): void {
  const origin = req.headers.origin ?? ''
  const method = String(req.headers['access-control-request-method'])
  const asked = String(req.headers['access-control-request-headers'] ?? '')
  reply.header('vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
  const allowed =
    origin !== '' && originAllowed(cors, origin) && methodAllowed(cors, method) && headersAllowed(cors, asked)
  if (!allowed) return
  reply.headers({
    ...allowOrigin(cors, origin),
    'access-control-allow-methods': method,
    ...(asked === '' ? {} : { 'access-control-allow-headers': asked }),
    ...(cors.max_age > 0 ? { 'access-control-max-age': String(cors.max_age) } : {}),
  })
}

/**
 * CORS as Kratos answers it: a preflight answer names only the requested method and headers, and a refused origin
 * gets the plain answer without CORS headers. @returns true when the preflight is answered (204) and nothing is left to do
 */
export function applyCors(cors: CorsConfig, req: FastifyRequest, reply: FastifyReply): boolean {
  if (!cors.enabled) return false
  if (req.method === 'OPTIONS' && (req.headers['access-control-request-method'] ?? '') !== '') {
    preflight(cors, req, reply)
    reply.code(204).send()
    return true
  }
  const origin = req.headers.origin ?? ''
  reply.header('vary', 'Origin')
  if (origin !== '' && methodAllowed(cors, req.method) && originAllowed(cors, origin)) {
    reply.headers({
      ...allowOrigin(cors, origin),
      ...(cors.exposed_headers.length > 0 ? { 'access-control-expose-headers': cors.exposed_headers.join(', ') } : {}),
    })
  }
  return false
}
