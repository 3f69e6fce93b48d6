import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Connections } from './connections.ts'
import { type AddressRules, anyLookup, guard, isGuarded } from './guard.ts'

export interface OutboundRequest {
  /** GET, POST …, in upper case */
  method: string
  url: string
  headers: Readonly<Record<string, string>>
  body?: string
  /** for the whole exchange: name lookup, connection, request, answer to the last byte */
  timeoutMs: number
  /** of the answer's body */
  maxBytes: number
  signal?: AbortSignal
}

export interface OutboundAnswer {
  status: number
  headers: IncomingHttpHeaders
  /** as far as it was read */
  body: Buffer
  /** why the body is incomplete; undefined when it is complete */
  cut: string | undefined
}

const MAX_HEAD_BYTES = 16 * 1024
/** Interim answers (100 to 199) before the real one. */
const MOST_INTERIM = 16

/**
 * The one client for outgoing HTTP. It follows no redirects: they are answers like others. Whatever the server
 * does, the exchange ends within its time and size, and leaves nothing behind.
 *
 * @param connections where they are kept between requests; absent: none is
 * @throws Refused for a forbidden address; Error when there was no answer, with a text that names host and
 * port, never the path or the password of the URL
 */
export async function exchange(
  request: OutboundRequest,
  rules: AddressRules,
  connections?: Connections,
): Promise<OutboundAnswer> {
  const deadline = performance.now() + request.timeoutMs
  try {
    return await attempt(request, request.timeoutMs, rules, connections)
  } catch (error) {
    // The server closed a kept connection while the request was on its way: neither an answer nor a failure.
    if (!(error instanceof Stale)) throw error
    return attempt(request, deadline - performance.now(), rules, undefined)
  }
}

class Stale extends Error {}

function attempt(
  { method, url, headers, body, timeoutMs, maxBytes, signal }: OutboundRequest,
  leftMs: number,
  rules: AddressRules,
  connections: Connections | undefined,
): Promise<OutboundAnswer> {
  const secure = /^https:/i.test(url)
  const guarded = isGuarded(url, rules)
  const lookup = guarded ? guard(url) : anyLookup
  return new Promise((resolve, reject) => {
    let response: IncomingMessage | undefined
    let interim = 0
    let size = 0
    const chunks: Buffer[] = []
    const request: ClientRequest = (secure ? httpsRequest : httpRequest)(url, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
      agent: connections?.agent(secure, guarded) ?? false,
      lookup,
      maxHeaderSize: MAX_HEAD_BYTES,
    })

    /** The first call counts. A connection is closed unless both sides are done with it. */
    function settle(cut: string | undefined, error?: Error): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      if (cut !== undefined || !request.writableFinished) request.destroy()
      if (response === undefined) return reject(error ?? new Error(cut))
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks), cut })
    }
    const timer = setTimeout(() => settle(`no ${response ? 'whole ' : ''}answer within ${timeoutMs} ms`), leftMs)
    const onAbort = () => settle('aborted')
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted) onAbort()

    request.on('information', () => {
      interim += 1
      if (interim > MOST_INTERIM) settle(`more than ${MOST_INTERIM} interim answers`)
    })
    // 101: the request offered nothing to switch to
    request.on('upgrade', (message, socket) => {
      response = message
      socket.destroy()
      settle('it switched to another protocol')
    })
    request.on('response', (message) => {
      response = message
      message.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxBytes) return settle(`is larger than ${maxBytes} bytes`)
        chunks.push(chunk)
      })
      message.on('end', () => settle(undefined))
      message.on('error', (error) => settle(textOf(error)))
      message.on('close', () => settle('the answer was broken off'))
    })
    /** by the connection, before this request */
    let readBefore = 0
    request.on('socket', (socket) => {
      readBefore = socket.bytesRead
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      const silent = request.socket?.bytesRead === readBefore
      const stale = request.reusedSocket && silent && /^(ECONNRESET|EPIPE)$/.test(error.code ?? '')
      settle(textOf(error), stale ? new Stale() : new Error(textOf(error), { cause: error }))
    })
    request.on('close', () => settle('the connection was closed without an answer'))
    request.end(body)
  })
}

/** Node's texts name host and port, never the path or the password of a URL. */
function textOf(error: unknown): string {
  const { message, code, errors } = error as Error & { code?: string; errors?: Error[] }
  // a name with several addresses fails once for each, without a text of its own
  return (message || errors?.[0]?.message || code || 'failed').slice(0, 500)
}
