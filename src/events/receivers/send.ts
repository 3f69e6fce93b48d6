import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { type AddressRules, guarded } from '../../kernel/outbound/guard.ts'

export interface Message {
  url: string
  headers: Record<string, string>
  body: string
  /** for the whole try: name, connection, answer */
  timeoutMs: number
}

/** What became of one try. */
export interface Attempt {
  ok: boolean
  status: number | null
  /** in words for the operator; null when it worked */
  error: string | null
  /** what the receiver asks for */
  retryAfterMs: number | undefined
}

export interface Sender {
  /** Never throws. */
  post(message: Message, rules: AddressRules): Promise<Attempt>
  close(): void
}

/** An answer is not read beyond this: only its status counts. */
const MAX_ANSWER_BYTES = 16 * 1024

/**
 * Sends by POST, without following redirects. Connections are kept between messages; those that were made under the
 * guard on addresses and those that were not are never exchanged.
 */
export function createSender(): Sender {
  const options = { keepAlive: true, keepAliveMsecs: 10_000, timeout: 60_000, scheduling: 'lifo' } as const
  const pairs = [0, 1].map(() => ({ http: new HttpAgent(options), https: new HttpsAgent(options) }))

  return {
    async post(message, rules) {
      try {
        const guard = guarded(message.url, rules)
        return await send(message, { ...guard, agents: pairs['lookup' in guard ? 1 : 0]! })
      } catch (error) {
        return failed(textOf(error))
      }
    },
    close() {
      for (const { http, https } of pairs) {
        http.destroy()
        https.destroy()
      }
    },
  }
}

interface Way {
  lookup?: NonNullable<Parameters<typeof httpRequest>[1]>['lookup']
  agents: { http: HttpAgent; https: HttpsAgent }
}

function send({ url, headers, body, timeoutMs }: Message, { agents, ...guard }: Way): Promise<Attempt> {
  const secure = url.startsWith('https:')
  return new Promise((done) => {
    const finish = (attempt: Attempt) => {
      clearTimeout(timer)
      done(attempt)
    }
    const request: ClientRequest = (secure ? httpsRequest : httpRequest)(
      url,
      {
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        agent: secure ? agents.https : agents.http,
        ...guard,
      },
      (response) => finish(judge(response)),
    )
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    request.on('error', (error) => finish(failed(textOf(error))))
    request.end(body)
  })
}

function judge(response: IncomingMessage): Attempt {
  drain(response)
  const status = response.statusCode ?? 0
  if (status >= 200 && status < 300) return { ok: true, status, error: null, retryAfterMs: undefined }
  const redirect = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
  const seconds = /^\d{1,6}$/.exec(response.headers['retry-after'] ?? '')?.[0]
  const retryAfterMs = seconds === undefined ? undefined : Number(seconds) * 1000
  return { ok: false, status, error: `answered with status ${status}${redirect}`, retryAfterMs }
}

/** The rest of the answer is read so that the connection can be used again, unless there is too much of it. */
function drain(response: IncomingMessage): void {
  let size = 0
  response.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) response.destroy()
  })
  response.setTimeout(5000, () => response.destroy())
  response.on('error', () => {})
}

const failed = (error: string): Attempt => ({ ok: false, status: null, error, retryAfterMs: undefined })

/** Node's texts name host and port, never the path or the password of a URL. */
function textOf(error: unknown): string {
  const { message, code, errors } = error as Error & { code?: string; errors?: Error[] }
  // a name with several addresses fails once for each, without a text of its own
  return (message || errors?.[0]?.message || code || 'failed').slice(0, 500)
}
