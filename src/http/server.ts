import type { ServerOptions as HttpOptions } from 'node:http'
import type { ServerOptions as HttpsOptions } from 'node:https'
import cookie from '@fastify/cookie'
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyServerOptions,
  LogController,
} from 'fastify'

export interface ServerLimits {
  /** a request that has not arrived whole by then is cut off */
  requestTimeoutMs: number
  bodyLimitBytes: number
}

export interface ServerOptions extends ServerLimits {
  log: FastifyBaseLogger
  requestId(): string
  /** rewrites the URL before routing, e.g. to take off a prefix */
  rewriteUrl?: (url: string) => string
  /** TLS key and certificate; plain HTTP when absent */
  tls?: { cert: Buffer; key: Buffer }
}

/** Header bytes Node reads before it answers 431. Kratos takes 1 MB; 64 kB holds any sane set of cookies. */
const MAX_HEADER_BYTES = 65_536
/** Sockets idle longer than this are closed; above the 60 s that common load balancers keep theirs open. */
const KEEP_ALIVE_MS = 72_000
/** Longest path parameter: a token of 4,000 characters is only an unknown one, not an error of the router. */
const MAX_PARAM_LENGTH = 8192

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/

/**
 * A Fastify instance with every bound set by name. Bodies stay raw: the route that wants one decodes it, so that
 * content types, empty bodies and errors are answered as the contract says.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const { rewriteUrl } = options
  const settings: FastifyServerOptions & { http?: HttpOptions; https?: HttpsOptions } = {
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: (req) => {
      const given = req.headers['x-request-id']
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : options.requestId()
    },
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: options.requestTimeoutMs,
    connectionTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: MAX_PARAM_LENGTH },
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: options.requestTimeoutMs },
    ...(options.tls === undefined ? {} : { https: { ...options.tls, maxHeaderSize: MAX_HEADER_BYTES } }),
    ...(rewriteUrl === undefined ? {} : { rewriteUrl: (req) => rewriteUrl(req.url ?? '/') }),
    frameworkErrors: (error, req, reply) => {
      req.log.info({ err: { message: error.message } }, 'request refused')
      const raw = reply as FastifyReply
      raw.code(400).header('content-type', 'application/json').send(plainError(400, 'The request URL is malformed.'))
    },
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) return
      const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
      socket.end(rawAnswer(status))
    },
  }
  const app: FastifyInstance = fastify(settings)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_req, body, done) => done(null, body))
  app.register(cookie)
  return app
}

const STATUS_TEXT: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

function plainError(code: number, reason: string) {
  return { error: { code, status: STATUS_TEXT[code], reason, message: STATUS_TEXT[code] } }
}

/** An answer written by hand: the request could not even be parsed, so there is nothing to route. */
function rawAnswer(code: number): string {
  const body = `${JSON.stringify(plainError(code, 'The HTTP request could not be read.'))}\n`
  return [
    `HTTP/1.1 ${code} ${STATUS_TEXT[code]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
