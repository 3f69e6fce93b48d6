/** An error in the log lines of a request. */
interface ToldError {
  type: string
  code?: string
  message?: string
  /** without the message, with which it begins */
  stack: string
  cause?: ToldError
}

const FROM_REQUEST = Symbol('written while a request is answered')
/** Of a library's message only the part before the first character that may begin a quotation of the request. */
const QUOTED = /["'`:/([{<]/
const FRAME = /^ {4}at .*(?::\d+:\d+\)?|\(native\)|<anonymous>\)?)$/
const MAX_CAUSES = 4

/** Errors of the store: they name the statement and the failure, and quote nothing of the request. */
const OWN_WORDS = new Set(['StoreUnavailable', 'StoreError', 'Conflict'])

/** Marks the logger of one request: its lines pass through `withoutRequestText`. */
export function ofRequest<T extends object>(logger: T): T {
  return Object.assign(logger, { [FROM_REQUEST]: true })
}

/**
 * The arguments of a log call without what a library may have taken from the request: Fastify names the URL, parsers
 * quote what they could not read, `new URL` keeps it beside its message, V8 names properties. Errors keep their type,
 * code and stack; their message only if it is the store's own.
 */
export function withoutRequestText(logger: object, args: unknown[]): unknown[] {
  if (!(FROM_REQUEST in logger)) return args
  const [first, message] = args
  if (typeof first === 'string') return [first.split(QUOTED, 1)[0]!.trimEnd()]
  if (first instanceof Error) return [{ err: told(first) }, 'an error while a request was answered']
  const { req: _req, res: _res, ...rest } = (first ?? {}) as Record<string, unknown>
  const fields = rest.err instanceof Error ? { ...rest, err: told(rest.err) } : rest
  return [fields, typeof message === 'string' ? message : 'an error while a request was answered']
}

function told(error: Error, depth = 1): ToldError {
  const { code } = error as { code?: unknown }
  return {
    type: error.constructor.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(OWN_WORDS.has(error.name) ? { message: error.message } : {}),
    stack: frames(error).join('\n'),
    ...(error.cause instanceof Error && depth < MAX_CAUSES ? { cause: told(error.cause, depth + 1) } : {}),
  }
}

function frames({ stack = '', message }: Error): string[] {
  const at = message === '' ? -1 : stack.indexOf(message)
  const behind = at < 0 ? stack : stack.slice(at + message.length)
  return behind.split('\n').filter((line) => FRAME.test(line))
}

/** The line of code that refused: `flows/login/begin.js:76`. It replaces the reason, which may quote the request. */
export function placeOf(error: Error): string | undefined {
  const frame = frames(error).find((line) => !/[\\/]kernel[\\/]http[\\/]errors\.[jt]s:/.test(line))
  return frame && /[\\/](?:dist|src)[\\/]([\w.\\/-]+:\d+):\d+\)?$/.exec(frame)?.[1]
}
