import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'

type CorsConfig = Config['serve']['public']['cors']

function originAllowed(cors: CorsConfig, origin: string): boolean {
  const asked = origin.toLowerCase()
  return cors.allowed_origins.some((entry) => {
    const allowed = entry.toLowerCase()
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

/** Browsers send the names in lower case and sorted; Kratos answers nothing to others. */
function headersAllowed(cors: CorsConfig, asked: string): boolean {
  if (asked === '') return true
  const allowed = new Set(cors.allowed_headers.map((name) => name.toLowerCase()))
  const names = asked.split(',')
  return allowed.has('*') || names.every((name, i) => allowed.has(name) && (i === 0 || names[i - 1]! < name))
}

function preflight(cors: CorsConfig, req: FastifyRequest, reply: FastifyReply): void {
  const origin = req.headers.origin ?? ''
  const method = String(req.headers['access-control-request-method'])
  const asked = String(req.headers['access-control-request-headers'] ?? '')
  reply.header('vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
  const allowed =
    origin !== '' &&
    originAllowed(cors, origin) &&
    cors.allowed_methods.some((word) => word === method) &&
    headersAllowed(cors, asked)
  if (!allowed) return
  reply.headers({
    ...allowOrigin(cors, origin),
    'access-control-allow-methods': method,
    ...(asked === '' ? {} : { 'access-control-allow-headers': asked }),
    ...(cors.max_age > 0 ? { 'access-control-max-age': String(cors.max_age) } : {}),
  })
}

/**
 * CORS as Kratos answers it: a preflight is told back only the method and headers it asked for, and a refused origin
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
  const methodAllowed = cors.allowed_methods.some((word) => word === req.method) || req.method === 'OPTIONS'
  if (origin !== '' && methodAllowed && originAllowed(cors, origin)) {
    reply.headers({
      ...allowOrigin(cors, origin),
      ...(cors.exposed_headers.length > 0 ? { 'access-control-expose-headers': cors.exposed_headers.join(', ') } : {}),
    })
  }
  return false
}
