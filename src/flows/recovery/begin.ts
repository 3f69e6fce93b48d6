import type { Config } from '../../config/schema/schema.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Credentials } from '../../sessions/types.ts'
import { type BeginRequest, newFlow } from '../begin.ts'
import { type BeforeDeps, beforeFlow } from '../hooks/before.ts'
import { proofFlowAnswer } from '../proof/answer.ts'
import type { FlowUrls } from '../urls.ts'
import type { RecoveryMethod } from './method.ts'
import type { RecoveryStore } from './store.ts'
import type { RecoveryFlow } from './types.ts'

export interface BeginRecoveryDeps extends BeforeDeps {
  config(): Config
  clock: Clock
  random: Random
  store: RecoveryStore
  urls: FlowUrls
  sessions: Pick<SessionService, 'resolve'>
  /** in the order in which they are asked whether a form is theirs */
  methods: readonly RecoveryMethod[]
}

export type BegunRecovery = { kind: 'begun'; flow: RecoveryFlow } | { kind: 'signedIn' }

/** @throws 400 where recovery or its method is switched off, and for a `return_to` that is not allowed */
export async function beginRecovery(
  d: BeginRecoveryDeps,
  request: BeginRequest & { credentials: Credentials },
): Promise<BegunRecovery> {
  if (await d.sessions.resolve(request.credentials)) return { kind: 'signedIn' }
  assertEnabled(d.config())
  d.urls.returnTo(request.requestUrl)
  const flow = newRecoveryFlow(d, request)
  await beforeFlow(d, 'recovery', request, () => proofFlowAnswer(flow))
  await d.store.insert(flow)
  return { kind: 'begun', flow }
}

/** @throws 400 */
export function assertEnabled(config: Config): void {
  if (!config.selfservice.flows.recovery.enabled) {
    throw badRequest('Recovery is not allowed because it was disabled.', { forward: true })
  }
}

/** A flow that is not stored yet. @throws 400 where its method is switched off */
export function newRecoveryFlow(d: BeginRecoveryDeps, request: BeginRequest): RecoveryFlow {
  const { lifespan, use } = d.config().selfservice.flows.recovery
  return flowWith(d, methodInUse(d, use), request, lifespan)
}

export function flowWith(
  d: BeginRecoveryDeps,
  method: RecoveryMethod,
  request: BeginRequest,
  lifespanMs: number,
): RecoveryFlow {
  const base = newFlow(d, { ...request, lifespanMs, schema: '' })
  const { nodes, state } = method.start(base.csrf_token)
  const ui = { action: d.urls.action('recovery', base.id), method: 'POST' as const, nodes }
  return { ...base, ui, state, active_method: method.id, skip_csrf_check: false }
}

function methodInUse(d: BeginRecoveryDeps, id: 'code' | 'link'): RecoveryMethod {
  const method = d.methods.find((one) => one.id === id)
  if (method && d.config().selfservice.methods[id].enabled) return method
  throw badRequest(
    `You attempted recovery using ${id}, which is not enabled or does not exist. An administrator needs to enable this recovery method.`,
    { forward: true },
  )
}
