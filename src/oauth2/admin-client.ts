import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config/schema/schema.ts'
import type { Json, JsonObject } from '../identities/types.ts'
import { isObject } from '../identities/types.ts'
import { parseUrl, withoutTrailingSlashes } from '../kernel/base/url.ts'
import { badRequest, HttpError, internalError } from '../kernel/http/errors.ts'
import { encodeQuery } from '../kernel/http/query.ts'
import type { OutboundAnswer, OutboundRequest } from '../kernel/outbound/client.ts'

export interface AdminClientDeps {
  config(): Config
  /** guarded by `clients.http`. @throws Error when there was no answer */
  exchange(request: OutboundRequest): Promise<OutboundAnswer>
}

/** A login request of the OAuth2 server, as its API returns it. */
export type LoginRequest = JsonObject & {
  challenge?: string
  /** the server knows the person already */
  skip: boolean
  /** the id of the identity that it knows; empty without one */
  subject: string
  /** the URL at that server that began the login */
  request_url: string
}

export interface Acceptance {
  subject: string
  /** links the server's own session to ours */
  identity_provider_session_id: string
  remember: boolean
  /** seconds */
  remember_for: number
  /** the authentication methods, in order */
  amr: string[]
}

export type Oauth2AdminClient = ReturnType<typeof createOauth2AdminClient>

const PATH = '/admin/oauth2/auth/requests/login'
/** A person waits: all tries together end within ten seconds or so. */
const TIMEOUT_MS = 3000
const PAUSES_MS = [500, 1000]
const MAX_BYTES = 256 * 1024

/** The admin API of Ory Hydra, as far as logins need it. @see https://www.ory.com/docs/hydra/reference/api */
export function createOauth2AdminClient({ config, exchange }: AdminClientDeps) {
  const provider = () => config().oauth2_provider

  async function call(method: string, path: string, challenge: string, body?: object): Promise<OutboundAnswer> {
    const { url, headers = {} } = provider()
    if (url === undefined) throw notConfigured()
    const request: OutboundRequest = {
      method,
      url: `${withoutTrailingSlashes(url)}${path}?${encodeQuery({ login_challenge: challenge })}`,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    }
    for (let tries = 0; ; tries += 1) {
      const pause = PAUSES_MS[tries]
      const answer = await exchange(request).catch((error: unknown) => {
        if (pause === undefined) throw error
      })
      if (answer && (answer.status < 500 || pause === undefined)) return answer
      await sleep(pause)
    }
  }

  return {
    /** @throws HttpError 500 where no server is configured */
    assertConfigured(): void {
      if (provider().url === undefined) throw notConfigured()
    },

    /** @throws HttpError 400 for a challenge that the server does not take, 500 where it does not answer */
    async get(challenge: string): Promise<LoginRequest> {
      const answer = await call('GET', PATH, challenge).catch((error: unknown) => {
        throw failed(internalError, GET_FAILED, error)
      })
      if (answer.status !== 200) throw refused(answer.status < 500 ? badRequest : internalError, GET_FAILED, answer)
      const said = read(answer)
      if (!said) throw internalError(GET_FAILED)
      const { skip, subject, request_url: url } = said
      return {
        ...said,
        skip: skip === true,
        subject: typeof subject === 'string' ? subject : '',
        request_url: typeof url === 'string' ? url : '',
      }
    },

    /** @returns where to send the browser. @throws HttpError 500 where the server refuses */
    async accept(challenge: string, body: Acceptance): Promise<string> {
      const answer = await call('PUT', `${PATH}/accept`, challenge, body).catch((error: unknown) => {
        throw failed(internalError, ACCEPT_FAILED, error)
      })
      if (answer.status !== 200) throw refused(internalError, ACCEPT_FAILED, answer)
      const to = read(answer)?.redirect_to
      // The script of a page goes wherever it is told, also to `javascript:`.
      if (typeof to !== 'string' || !/^https?:/.test(parseUrl(to)?.protocol ?? '')) throw internalError(ACCEPT_FAILED)
      return to
    },
  }
}

const GET_FAILED = 'Unable to get OAuth 2.0 Login Challenge.'
const ACCEPT_FAILED = 'Unable to accept OAuth 2.0 Login Challenge.'
const MAX_HINT = 500

const notConfigured = () =>
  new HttpError(500, 'Invalid configuration', {
    id: 'invalid_configuration',
    reason: 'refusing to parse login_challenge query parameter because oauth2_provider.url is invalid or unset',
  })

type Make = typeof badRequest

const failed = (make: Make, reason: string, error: unknown) =>
  error instanceof HttpError ? error : make(reason, { cause: error })

function refused(make: Make, reason: string, answer: OutboundAnswer): HttpError {
  const hint = read(answer)?.error_hint
  const told = typeof hint === 'string' && hint !== '' ? { oauth2_error_hint: hint.slice(0, MAX_HINT) } : {}
  return make(reason, { details: { ...told, status_code: answer.status } })
}

function read({ body, cut }: OutboundAnswer): JsonObject | undefined {
  if (cut !== undefined) return undefined
  try {
    const said = JSON.parse(body.toString('utf8')) as Json
    return isObject(said) ? said : undefined
  } catch {
    return undefined
  }
}
