import type { Socket } from 'node:net'

/** Time for a client to read an answer and close; what it sends meanwhile is not read as requests. */
const LINGER_MS = 5000

const STATUS_TEXT: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

export function plainError(code: number, reason: string) {
  return { error: { code, status: STATUS_TEXT[code], reason, message: STATUS_TEXT[code] } }
}

/** Answers a request that could not be parsed, so that there is nothing to route. */
export function refuseUnparsed(socket: Socket, code: number, headerLimitBytes: number): void {
  const reason =
    code === 431
      ? `The request line and the headers together are larger than ${headerLimitBytes} bytes.`
      : 'The HTTP request could not be read.'
  answer(socket, code, 'application/json', `${JSON.stringify(plainError(code, reason))}\n`)
}

/**
 * The TLS layer has given up, so the answer is written to the connection below it, which Node does not expose; if
 * it is not found, the connection is just closed.
 */
export function refusePlainHttp(socket: Socket): void {
  const below = (socket as Socket & { _parent?: Socket })._parent
  if (below?.writable !== true) return void socket.destroy()
  answer(below, 400, 'text/plain; charset=utf-8', 'Client sent an HTTP request to an HTTPS server.\n')
}

function answer(socket: Socket, code: number, type: string, body: string): void {
  const head = [
    `HTTP/1.1 ${code} ${STATUS_TEXT[code]}`,
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  closeGently(socket, `${head.join('\r\n')}\r\n\r\n${body}`)
}

/** Closing at once would take back an answer that the client has not read while it is still writing. */
export function closeGently(socket: Socket, last = ''): void {
  socket.end(last)
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}
