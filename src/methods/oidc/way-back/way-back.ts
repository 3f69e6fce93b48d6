import type { CallbackRequest } from '../../../flows/callback/types.ts'
import { refused } from '../../../flows/refused.ts'
import type { ExchangeStore } from '../../../flows/store.ts'
import type { Flow } from '../../../flows/types.ts'
import { requestedReturnTo } from '../../../flows/urls.ts'
import type { Json, JsonObject } from '../../../identities/types.ts'
import { isObject } from '../../../identities/types.ts'
import { shortened } from '../../../kernel/base/text.ts'
import type { Queryable } from '../../../kernel/db/client.ts'
import { badRequest, HttpError } from '../../../kernel/http/errors.ts'
import type { Resolved } from '../../../sessions/types.ts'
import { refusedByProvider } from '../messages.ts'
import { CONTAINER, type KnownByProvider, type ProviderSignIn } from '../sign-in.ts'
import { bindingOf, type State, type States } from './state.ts'

export interface WayBackDeps {
  states: States
  providers: ProviderSignIn
  continuity: {
    look(name: string, id: string): Promise<{ [name: string]: Json } | undefined>
    useUp(id: string, tx: Queryable): Promise<void>
  }
  exchanges: Pick<ExchangeStore, 'initCodeOf' | 'move' | 'bind'>
}

/** A callback whose state is ours. */
export interface Way extends CallbackRequest {
  state: State
  text: string
  current: Resolved | undefined
}

/** @throws HttpError 400 for a state that is none of ours */
export function readState(d: WayBackDeps, { query, provider }: Pick<CallbackRequest, 'query' | 'provider'>) {
  const text = query.get('state') ?? ''
  if (text === '') throw broken('the OpenID Provider did not return the state query parameter.')
  const state = d.states.read(text)
  if (!state) throw broken('the state parameter is invalid.')
  if (provider !== undefined && provider !== state.provider) {
    throw badRequest('Unable to complete OpenID Connect flow: provider mismatch between internal state and URL.')
  }
  return { state, text }
}

/**
 * A provider that refuses may leave the state out, e.g. where a person cancels: it then answers what this browser left with
 * last. @see RFC 6749 §4.1.2.1
 */
export async function stateOf(d: WayBackDeps, request: CallbackRequest) {
  const { query, provider, containerIds } = request
  if (query.has('state') || !query.get('error')) return readState(d, request)
  for (const id of containerIds) {
    const text = (await d.continuity.look(CONTAINER, id))?.state
    const state = typeof text === 'string' ? d.states.read(text) : undefined
    if (state && (provider === undefined || provider === state.provider)) return { state, text: text as string }
  }
  return readState(d, request)
}

const broken = (why: string) => badRequest(`Unable to complete OpenID Connect flow because ${why}`)

/** What the returning browser has left here. */
export interface Back {
  containerId: string | undefined
  traits: Json
  /** what the page sent when it chose the provider */
  payload: JsonObject | undefined
  /** an app waits for it, and asks with its code */
  app: boolean
}

/**
 * The state must be one that this browser left with, or an app that holds the code.
 * @returns undefined for a signed-in caller, if that is all that was asked for
 * @throws HttpError 400 for any other browser
 */
export async function cameBack(
  d: WayBackDeps,
  way: Way,
  flow: Flow,
  signedInIsEnough: boolean,
): Promise<Back | undefined> {
  const { containerIds, state, text, current } = way
  if (flow.type === 'api' && (await isOfApp(d, flow, state))) {
    return { containerId: undefined, traits: {}, payload: undefined, app: true }
  }
  if (current && signedInIsEnough) return undefined
  let known = false
  for (const containerId of containerIds) {
    const container = await d.continuity.look(CONTAINER, containerId)
    if (!container) continue
    known = true
    if (container.state === text) return backTo(containerId, container)
  }
  if (!known) throw otherBrowser(flow)
  throw broken('the query state parameter does not match the state parameter from the session cookie.')
}

function backTo(containerId: string, container: { [name: string]: Json }): Back {
  const { traits = {}, transient_payload: payload } = container
  return { containerId, traits, payload: isObject(payload) ? payload : undefined, app: false }
}

async function isOfApp({ exchanges }: WayBackDeps, { id }: Flow, { binding }: State): Promise<boolean> {
  const code = await exchanges.initCodeOf(id)
  return code !== undefined && bindingOf(code).equals(binding)
}

/** A link in an app may be opened inside that app, and the provider leads on to the browser of the system. */
function otherBrowser({ request_url }: Flow): HttpError {
  const returnTo = requestedReturnTo(request_url)
  return new HttpError(400, 'no resumable session found', {
    id: 'sign_in_begun_elsewhere',
    ...(returnTo === '' ? {} : { details: { return_to: returnTo } }),
    reason:
      "The browser does not contain the necessary cookie to resume the session. This is a security violation and was blocked. Please clear your browser's cookies and cache and try again!",
  })
}

export async function useUp(d: WayBackDeps, { containerId }: Back, tx: Queryable): Promise<void> {
  if (containerId !== undefined) await d.continuity.useUp(containerId, tx)
}

export async function arrive(d: WayBackDeps, { query, state, text }: Way): Promise<KnownByProvider> {
  const refusal = shortened(query.get('error') ?? '', MAX_TOLD)
  if (refusal !== '') {
    const said = shortened(query.get('error_description') ?? '', MAX_TOLD)
    throw refused(refusedByProvider(d.providers.find(state.provider), refusal, said))
  }
  if ((query.get('code') || query.get('authCode') || '') === '') {
    throw broken('the OpenID Provider did not return the code query parameter.')
  }
  return d.providers.arrive(state, text, query)
}

/** Characters of a text from another server. */
const MAX_TOLD = 500
