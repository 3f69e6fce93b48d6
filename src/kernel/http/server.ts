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
import { stringifyJson } from '../base/exact-json.ts'
import { ofRequest } from '../base/request-words.ts'
import type { BodyLimits } from './body.ts'
import { type ClientOptions, installClient } from './client.ts'
import { installConnections } from './connections/connections.ts'
import { plainError, refusePlainHttp, refuseUnparsed } from './connections/raw-answers.ts'
import { bodyTooLarge } from './errors.ts'
import { installLoadShedding } from './load-shedding.ts'
import { parseQuery } from './query.ts'
import { installLocations } from './redirects.ts'
import { installResponseTimeout } from './response-timeout.ts'

export interface ServerLimits {
  /** a request that has not arrived completely by then is cut off */
  requestTimeoutMs: number
  /** a request that has no answer by then gets 503; what it began runs to its end */
  responseTimeoutMs: number
  /** of the request line and all headers together; more is answered with 431 */
  headerLimitBytes: number
  /** a larger body is not even read: the connection is closed */
  bodyLimitBytes: number
  bodyLimits: BodyLimits
  /** requests are refused while work waits longer than this inside the process; 0: never */
  maxEventLoopDelayMs: number
}

export interface ServerOptions extends ServerLimits, ClientOptions {
  log: FastifyBaseLogger
  requestId(): string
  /** rewrites the URL before routing, e.g. to take off a prefix */
  rewriteUrl?: (url: string) => string
  /** plain HTTP when absent */
  tls?: TlsPair
}

/** PEM texts of a certificate chain and of its private key. */
export interface TlsPair {
  cert: Buffer
  key: Buffer
}

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
  const limits = {
    maxHeaderSize: options.headerLimitBytes,
    headersTimeout: options.requestTimeoutMs,
    // How often Node checks for late requests; its default is every 30 s, whatever the limit.
    connectionsCheckingInterval: Math.min(5000, Math.ceil(options.requestTimeoutMs / 2)),
  }
  const settings: FastifyServerOptions & { http?: HttpOptions; https?: HttpsOptions } = {
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    childLoggerFactory: (logger, bindings, options) => ofRequest(logger.child(bindings, options)),
    genReqId: (req) => {
      const given = req.headers['x-request-id']
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : options.requestId()
    },
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: options.requestTimeoutMs,
    // A client that takes nothing of its answer for so long is cut off.
    connectionTimeout: options.requestTimeoutMs * 2,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    // Requests on a connection that is still open while the server closes are answered as before.
    return503OnClosing: false,
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      maxParamLength: MAX_PARAM_LENGTH,
      querystringParser: parseQuery,
    },
    ...(options.tls === undefined
      ? { http: limits }
      : { https: { ...options.tls, ...limits, handshakeTimeout: options.requestTimeoutMs } }),
    ...(rewriteUrl === undefined ? {} : { rewriteUrl: (req) => rewriteUrl(req.url ?? '/') }),
    frameworkErrors: (error, req, reply) => {
      // Its message quotes the URL.
      req.log.info({ error: { status: 400, code: error.code } }, 'request refused')
      const raw = reply as FastifyReply
      req.client = clientOf(req)
      connections.watch(raw)
      raw.code(400).header('content-type', 'application/json').send(plainError(400, 'The request URL is malformed.'))
    },
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ERR_SSL_HTTP_REQUEST') return refusePlainHttp(socket)
      if (error.code === 'ECONNRESET' || !socket.writable) return
      const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
      connections.fault(socket, status, () => refuseUnparsed(socket, status, options.headerLimitBytes))
    },
  }
  const app: FastifyInstance = fastify(settings)
  app.setReplySerializer((body) => stringifyJson(body))
  app.decorate('bodyLimits', options.bodyLimits)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_req, body, done) =>
    body.length > options.bodyLimits.bytes ? done(bodyTooLarge()) : done(null, body),
  )
  // Node drops all but the first 2,000 without a word, and a proxy adds its own at the end. Their bytes are limited.
  app.server.maxHeadersCount = 0
  const clientOf = installClient(app, options)
  const connections = installConnections(app)
  installResponseTimeout(app, options.responseTimeoutMs)
  app.register(cookie)
  installLocations(app)
  installLoadShedding(app, options.maxEventLoopDelayMs)
  return app
}
