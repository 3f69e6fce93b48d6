import type { Config } from '../../config/schema/schema.ts'
import type { AddressOwner } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import { badRequest, HttpError, TOO_MANY_MESSAGES } from '../../kernel/http/errors.ts'
import { withQuery } from '../../kernel/http/query.ts'
import type { Session } from '../../sessions/types.ts'
import { type BeginRequest, newFlow } from '../begin.ts'
import { type BeforeDeps, beforeFlow } from '../hooks/before.ts'
import { proofFlowAnswer } from '../proof/answer.ts'
import { type FlowUrls, requestedLoginChallenge, requestQuery } from '../urls.ts'
import type { VerificationMethod } from './method.ts'
import type { VerificationStore } from './store.ts'
import type { VerificationFlow } from './types.ts'

export interface BeginVerificationDeps extends BeforeDeps {
  config(): Config
  clock: Clock
  random: Random
  store: VerificationStore
  urls: FlowUrls
  methods: readonly VerificationMethod[]
}

/** @throws 400 where verification or its method is switched off, and for a `return_to` that is not allowed */
export async function beginVerification(d: BeginVerificationDeps, request: BeginRequest): Promise<VerificationFlow> {
  assertEnabled(d.config())
  const flow = newVerificationFlow(d, request)
  await beforeFlow(d, 'verification', request, () => proofFlowAnswer(flow))
  await d.store.insert(flow)
  return flow
}

/** @throws 400 */
export function assertEnabled(config: Config): void {
  if (!config.selfservice.flows.verification.enabled) {
    throw badRequest('Verification is not allowed because it was disabled.', { forward: true })
  }
}

/** A flow that is not stored yet. @throws 400 where its method is switched off */
export function newVerificationFlow(d: BeginVerificationDeps, request: BeginRequest): VerificationFlow {
  const { lifespan, use } = d.config().selfservice.flows.verification
  const base = newFlow(d, { ...request, lifespanMs: lifespan, schema: '' })
  const nodes = methodInUse(d).start(base.csrf_token, request.type)
  const ui = { action: d.urls.action('verification', base.id), method: 'POST' as const, nodes }
  return { ...base, ui, active_method: use, login_challenge: null, session_id: null }
}

function methodInUse(d: BeginVerificationDeps): VerificationMethod {
  const { use: id } = d.config().selfservice.flows.verification
  const method = d.methods.find((one) => one.id === id)
  if (method && d.config().selfservice.methods[id].enabled) return method
  throw badRequest(
    `You attempted verification using ${id}, which is not enabled or does not exist. An administrator needs to enable this verification method.`,
  )
}

/** An address to verify without a request: a new or changed one. */
export interface UnaskedVerification {
  owner: AddressOwner
  /** the flow that brought the address */
  request: BeginRequest
  /** the session of the caller, or the new one */
  session: Pick<Session, 'id' | 'authentication_methods'> | undefined
}

/**
 * Begins the flow of a new address, and writes to it. It has the state of a flow that was
 * requested.
 * @returns undefined where verification, or its method, is switched off
 */
export async function beginUnasked(
  d: BeginVerificationDeps,
  { owner, request, session }: UnaskedVerification,
  tx: Queryable,
): Promise<VerificationFlow | undefined> {
  const { enabled, use } = d.config().selfservice.flows.verification
  if (!enabled || !d.config().selfservice.methods[use].enabled) return undefined
  const { flow, send } = await insertSent(d, { owner, request, session }, tx)
  await send().catch(unlessTooMany)
  return flow
}

/**
 * Begins the flow of an address for which an operator wants another message.
 * @throws 400 where verification, or its method, is switched off; 429
 */
export async function beginForOperator(
  d: BeginVerificationDeps,
  address: Omit<UnaskedVerification, 'session'>,
  tx: Queryable,
): Promise<{ flow: VerificationFlow; messageId: string }> {
  assertEnabled(d.config())
  const { flow, send } = await insertSent(d, { ...address, session: undefined }, tx)
  return { flow, messageId: (await send())! }
}

/** Stores the flow in the state after the message. @returns what sends it */
async function insertSent(
  d: BeginVerificationDeps,
  { owner, request, session }: UnaskedVerification,
  tx: Queryable,
): Promise<{ flow: VerificationFlow; send(): Promise<string | undefined> }> {
  const method = methodInUse(d)
  const begun = newVerificationFlow(d, { ...request, requestUrl: afterwards(request.requestUrl) })
  const { nodes, messages, state } = method.sentScreen(begun, request.csrfToken, owner.address)
  const flow: VerificationFlow = {
    ...begun,
    state,
    ui: { ...begun.ui, nodes, messages },
    login_challenge: (request.type === 'browser' && requestedLoginChallenge(request.requestUrl)) || null,
    session_id: session?.id ?? null,
  }
  await d.store.insert(flow, tx, { identityId: owner.identity.id, methods: session?.authentication_methods })
  return {
    flow,
    send: () =>
      method.send(
        flow,
        { typed: owner.address.value, owner, transientPayload: undefined, network: request.facts?.().network },
        tx,
      ),
  }
}

/** The account, or the session, is not refused for that: the person asks for another message later. */
function unlessTooMany(error: unknown): undefined {
  if (!(error instanceof HttpError) || error.id !== TOO_MANY_MESSAGES) throw error
}

/** `return_to` belongs to the first flow, `after_verification_return_to` to this one. */
function afterwards(requestUrl: string): string {
  const { return_to: _, after_verification_return_to: after, ...rest } = Object.fromEntries(requestQuery(requestUrl))
  const query = after === undefined ? rest : { ...rest, return_to: after }
  const [base = ''] = requestUrl.split('?')
  return Object.keys(query).length === 0 ? base : withQuery(base, query)
}
