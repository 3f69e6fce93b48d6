import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { SmtpOauth2 } from '../../config/schema/lethe-courier.ts'
import { type Clock, type Micros, SECOND } from '../../kernel/base/clock.ts'
import { parseJson } from '../../kernel/base/json.ts'
import type { OutboundAnswer, OutboundRequest } from '../../kernel/outbound/client.ts'

export interface AccessTokenDeps {
  settings(): SmtpOauth2 | undefined
  exchange(request: OutboundRequest): Promise<OutboundAnswer>
  clock: Clock
  /** where relative paths begin */
  cwd: string
}

/** Access tokens for a mail server. */
export interface AccessTokens {
  /** the mailbox; undefined: the user of the server's address */
  user: string | undefined
  /** @throws Error that says what is wrong, never with a token or a secret */
  get(): Promise<string>
  /** After the server has refused one: the next is fetched. */
  forget(): void
}

const TIMEOUT_MS = 10_000
/** Tokens of the great providers have two to four kilobytes. */
const MAX_BYTES = 64 * 1024
/** So much before its end a token is no longer used. */
const MARGIN: Micros = 60 * SECOND
/** For an answer that does not say how long its token lasts. */
const UNKNOWN_LIFE_SECONDS = 300
const LONGEST_LIFE_SECONDS = 86_400

/** @returns a function that gives the tokens of the present configuration; undefined where it asks for none */
export function createAccessTokens(d: AccessTokenDeps): () => AccessTokens | undefined {
  let kept: { of: SmtpOauth2; token: Promise<string>; until: Micros } | undefined

  /** Mails that leave together share one request. */
  function fetched(settings: SmtpOauth2): Promise<string> {
    if (kept?.of === settings && d.clock.now() < kept.until) return kept.token
    const token = request(d, settings).then(({ token, seconds }) => {
      entry.until = d.clock.now() + Math.max(0, seconds * SECOND - MARGIN)
      return token
    })
    const entry = { of: settings, token, until: Number.POSITIVE_INFINITY }
    kept = entry
    token.catch(() => {
      if (kept === entry) kept = undefined
    })
    return token
  }

  return () => {
    const settings = d.settings()
    if (settings === undefined) return undefined
    const { token_file: file } = settings
    return {
      user: settings.user,
      get: () => (file === undefined ? fetched(settings) : read(resolve(d.cwd, file))),
      forget() {
        kept = undefined
      },
    }
  }
}

async function read(path: string): Promise<string> {
  const file = await open(path).catch((error: NodeJS.ErrnoException): never => {
    throw new Error(`token_file: ${path} cannot be read (${error.code})`)
  })
  try {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(MAX_BYTES), position: 0 })
    return usable(buffer.toString('latin1', 0, bytesRead).trim(), `token_file: ${path} holds no access token`)
  } finally {
    await file.close()
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4 */
async function request(d: AccessTokenDeps, { token_url, client_id = '', client_secret = '', scope }: SmtpOauth2) {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret })
  if (scope !== undefined) form.set('scope', scope)
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  const options = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES }
  const { status, body, cut } = await d
    .exchange({ method: 'POST', url: token_url!, headers, body: form.toString(), ...options })
    .catch((error: Error): never => {
      throw new Error(`token_url: ${error.message}`)
    })
  if (cut !== undefined) throw new Error(`token_url: the answer ${cut}`)
  const { access_token, expires_in, error } = members(body)
  if (status !== 200) throw new Error(`token_url answered with status ${status}${named(error)}`)
  // some servers write the number as text
  const life = Number(expires_in)
  const seconds = life > 0 ? Math.min(life, LONGEST_LIFE_SECONDS) : UNKNOWN_LIFE_SECONDS
  return { token: usable(access_token, 'token_url answered without an access token'), seconds }
}

function members(body: Buffer): Record<string, unknown> {
  try {
    return Object(parseJson(body.toString('utf8'), { values: 1000, depth: 16 }))
  } catch {
    return {}
  }
}

/** The error codes of OAuth 2.0, not the description, which may quote what was sent. */
const named = (error: unknown) => (typeof error === 'string' && /^\w{1,64}$/.test(error) ? ` (${error})` : '')

/** Nothing that could end the line of a command, or begin another member. */
function usable(token: unknown, otherwise: string): string {
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token
  throw new Error(otherwise)
}
