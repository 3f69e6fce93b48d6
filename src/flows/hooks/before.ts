import type { Config } from '../../config/schema/schema.ts'
import type { BeginRequest } from '../begin.ts'
import type { FlowKind } from '../kinds.ts'
import type { Hooks } from './hooks.ts'
import type { HookContext } from './types.ts'

export interface BeforeDeps {
  config(): Config
  hooks: Hooks
}

/**
 * Calls the hooks before a flow of this kind, when it is made and not stored yet.
 * @param answer the flow as clients see it
 * @throws HttpError 400 when one refuses, 500, 502, 504
 */
export async function beforeFlow(
  d: BeforeDeps,
  kind: FlowKind,
  request: Pick<BeginRequest, 'facts'>,
  answer: () => object,
  session?: () => HookContext['session'],
): Promise<void> {
  const { facts } = request
  const { hooks } = d.config().selfservice.flows[kind].before
  if (facts === undefined || hooks.length === 0) return
  await d.hooks.before(hooks, () => {
    const of = session?.()
    return { flow: answer(), request: facts(), ...(of === undefined ? {} : { session: of }) }
  })
}
