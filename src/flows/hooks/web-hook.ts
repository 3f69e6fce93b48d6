import { setTimeout as sleep } from 'node:timers/promises'
import { uuid } from '../../kernel/base/uuid.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { OutboundAnswer, OutboundRequest } from '../../kernel/outbound/client.ts'
import { type AddressRules, Refused } from '../../kernel/outbound/guard.ts'
import { CANCELLED, contentType } from './body.ts'
import { hookAnsweredWith, hookMisconfigured, hookTimedOut, hookUnreachable } from './errors.ts'
import type { HookContext, WebHook } from './types.ts'

export interface WebHookDeps {
  random: Random
  bodyOf(config: WebHook['config'], context: HookContext): Promise<string | typeof CANCELLED>
  exchange(request: OutboundRequest, rules: AddressRules): Promise<OutboundAnswer>
  rules(): AddressRules
}

/** As in Kratos: three tries with these pauses between, if there is time. */
const PAUSES_MS = [1000, 2000]
const MAX_ANSWER_BYTES = 1024 * 1024

export interface HookAnswer {
  status: number
  body: string
}

/**
 * Calls the receiver of one hook. An answer of 5xx or 429, and none at all, are tried again under the same
 * `Ory-Webhook-Trigger-Id`, by which a receiver recognises a repeated call. Redirects are not followed: the body
 * would go wherever the receiver says.
 *
 * @param deadline of `performance.now()`, for all tries together
 * @returns undefined when the template cancels the call
 * @throws HttpError 502, 504 when there is no answer; 500 when the body cannot be made
 */
export async function callWebHook(
  d: WebHookDeps,
  { config }: WebHook,
  context: HookContext,
  deadline: number,
): Promise<HookAnswer | undefined> {
  const withBody = config.body !== undefined && config.method.toUpperCase() !== 'TRACE'
  const body = withBody ? await d.bodyOf(config, context).catch(misconfigured) : undefined
  if (body === CANCELLED) return undefined
  const trigger = uuid(d.random)
  for (let tries = 0; ; tries += 1) {
    const pause = PAUSES_MS[tries]
    // Called after the try, which takes time itself.
    const more = () => pause !== undefined && performance.now() + pause < deadline
    const answer = await attempt(d, config, body, trigger, deadline).catch((error: Error) => {
      if (!more() || error instanceof Refused) throw unreachable(error, deadline)
    })
    if (answer && !(worthAnotherTry(answer.status) && more())) return answer
    await sleep(pause)
  }
}

const worthAnotherTry = (status: number) => status === 429 || (status >= 500 && status !== 501)

async function attempt(
  d: WebHookDeps,
  config: WebHook['config'],
  body: string | undefined,
  trigger: string,
  deadline: number,
): Promise<HookAnswer> {
  const request: OutboundRequest = {
    method: config.method.toUpperCase(),
    url: config.url,
    headers: headersOf(config, { request: uuid(d.random), trigger }, body !== undefined),
    ...(body === undefined ? {} : { body }),
    timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())),
    maxBytes: MAX_ANSWER_BYTES,
  }
  const { status, body: answer, cut } = await d.exchange(request, d.rules())
  if (cut !== undefined) throw new Error(`the answer ${cut}`)
  return { status, body: answer.toString('utf8') }
}

function headersOf(config: WebHook['config'], ids: { request: string; trigger: string }, withBody: boolean) {
  const given = Object.entries(config.headers ?? {}).filter(([name]) => name.toLowerCase() !== 'content-type')
  return {
    ...Object.fromEntries(given),
    ...(withBody ? { 'content-type': contentType(config) } : {}),
    ...authHeaders(config.auth),
    'ory-webhook-request-id': ids.request,
    'ory-webhook-trigger-id': ids.trigger,
    'idempotency-key': ids.trigger,
  }
}

function authHeaders(auth: WebHook['config']['auth']): Record<string, string> {
  if (!auth) return {}
  if (auth.type === 'basic_auth') {
    const { user, password } = auth.config
    return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
  }
  const { name, value } = auth.config
  return auth.config.in === 'cookie' ? { cookie: `${name}=${value}` } : { [name]: value }
}

function misconfigured(cause: Error): never {
  throw hookMisconfigured(cause)
}

const unreachable = (error: Error, deadline: number) =>
  performance.now() >= deadline - 1 ? hookTimedOut(error) : hookUnreachable(error)

/** @throws HttpError 502 for an answer that is not a success */
export function assertSucceeded({ status }: HookAnswer): void {
  if (status >= 200 && status < 300) return
  const redirect = status < 400 ? ', and redirects are not followed' : ''
  throw hookAnsweredWith(status, new Error(`the web hook answered with status ${status}${redirect}`))
}
