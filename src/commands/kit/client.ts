import { readJson, stringifyJson } from '../../kernel/base/exact-json.ts'
import { parseUrl, withoutTrailingSlashes } from '../../kernel/base/url.ts'
import { LETHE_VERSION } from '../../kernel/base/version.ts'
import { Failure } from './errors.ts'
import type { Io } from './io.ts'

export interface Answer {
  status: number
  body: unknown
  headers: Headers
}

export interface Client {
  /** @throws Failure when there is no answer or it is not a success */
  call(method: string, path: string, body?: unknown): Promise<Answer>
  /** The same, but returns any answer. @throws Failure when there is none */
  attempt(method: string, path: string, body?: unknown): Promise<Answer>
  /** The body of an answer that lasts until the signal. @throws Failure when there is none or it is not a success */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
}

/** Time of one call. An import may wait for slow password hashes queued before its own. */
const TIMEOUT_MS = 60_000

/** What `-e`, KRATOS_ADMIN_URL or LETHE_ADMIN_URL name, without a slash at the end. @throws Failure */
export function endpointOf(io: Io, given: string | undefined): string {
  const endpoint = given ?? (io.env.KRATOS_ADMIN_URL || io.env.LETHE_ADMIN_URL || undefined)
  if (endpoint === undefined) throw new Failure('you have to set the remote endpoint, try --help for details')
  if (!/^https?:\/\//.test(endpoint) || parseUrl(endpoint) === undefined) {
    throw new Failure('the remote endpoint must be a URL such as http://127.0.0.1:4434')
  }
  return withoutTrailingSlashes(endpoint)
}

/** Talks to the admin port. User and password in the address become a header, which `fetch` does not do itself. */
export function createClient(io: Io, endpoint: string): Client {
  const base = new URL(endpoint)
  const credentials = [base.username, base.password].map(decoded).join(':')
  base.username = ''
  base.password = ''
  const headers = {
    accept: 'application/json',
    'user-agent': `lethe-cli/${LETHE_VERSION}`,
    ...(credentials === ':' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
  }
  const address = withoutTrailingSlashes(base.href)

  async function attempt(method: string, path: string, body?: unknown): Promise<Answer> {
    const sent = body === undefined ? {} : { body: stringifyJson(body) }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const answer = await io.fetch(address + path, { method, headers: { ...headers, ...type }, signal, ...sent })
      return { status: answer.status, body: parse(await answer.text()), headers: answer.headers }
    } catch (error) {
      throw new Failure(`${method} ${address}${path}: ${causeOf(error)}`)
    }
  }

  return {
    attempt,
    async call(method, path, body) {
      const answer = await attempt(method, path, body)
      if (answer.status >= 200 && answer.status < 300) return answer
      throw new Failure(errorText(answer))
    },
    async stream(path, signal) {
      const answer = await io.fetch(address + path, { headers, signal }).catch((error: unknown): never => {
        throw new Failure(`GET ${address}${path}: ${causeOf(error)}`)
      })
      if (answer.ok && answer.body !== null) return answer.body
      throw new Failure(errorText({ status: answer.status, body: parse(await answer.text()) }))
    },
  }
}

/** @throws Failure */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Failure('user and password of the remote endpoint cannot be read: write % as %25')
  }
}

function parse(text: string): unknown {
  try {
    return readJson(text)
  } catch {
    return text
  }
}

/** `fetch failed` says nothing: the reason is its cause, or a list of causes when a name has several addresses. */
function causeOf(error: unknown): string {
  const { message, cause, errors } = error as Error & { errors?: unknown[] }
  if (cause !== undefined) return causeOf(cause)
  if (errors?.[0] !== undefined) return causeOf(errors[0])
  return message
}

/** The words of the server: its message and, on a second line, the reason. */
export function errorText({ status, body }: Pick<Answer, 'status' | 'body'>): string {
  const { error } = (body ?? {}) as { error?: { message?: unknown; reason?: unknown } }
  const texts = [error?.message, error?.reason].filter((text) => typeof text === 'string' && text !== '')
  return texts.length > 0 ? texts.join('\n') : `the server answered with status ${status}; is this the admin address?`
}
