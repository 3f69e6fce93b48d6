import type { Config } from '../../config/schema/schema.ts'
import type { Identity, Json, JsonObject } from '../../identities/types.ts'
import { proofFlowAnswer } from '../proof/answer.ts'
import type { Caller, Flow } from '../types.ts'
import { type Hooks, webHooks } from './hooks.ts'

export interface ProvedDeps {
  config(): Config
  hooks: Hooks
  /** an identity as clients see it */
  identityAnswer(identity: Identity): JsonObject
}

/**
 * Calls the web hooks after an address was proved, before anything is written.
 * @param identity as it will be; undefined where there is none. @throws HookRefused, HttpError 500, 502, 504
 */
export async function afterProof(
  d: ProvedDeps,
  kind: 'recovery' | 'verification',
  of: { flow: Flow; caller: Pick<Caller, 'facts'>; transientPayload: Json | undefined },
  identity: () => Promise<Identity | undefined>,
): Promise<void> {
  const hooks = webHooks(d.config().selfservice.flows[kind].after.hooks)
  if (hooks.length === 0) return
  const owner = await identity()
  if (owner === undefined) return
  await d.hooks.run(hooks, () => ({
    flow: proofFlowAnswer({ ...of.flow, state: 'passed_challenge' }, of.transientPayload),
    request: of.caller.facts(),
    identity: d.identityAnswer(owner),
  }))
}
