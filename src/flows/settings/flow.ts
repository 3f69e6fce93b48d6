import type { Identity } from '../../identities/types.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { Resolved, Session } from '../../sessions/types.ts'
import type { BeginRequest } from '../begin.ts'
import { identityMismatch } from '../errors.ts'
import { readFlow } from '../read.ts'
import type { Caller } from '../types.ts'
import { assertProven, beginRecovered, beginSettings } from './begin.ts'
import { type SettingsOutcome, type SubmitSettingsDeps, submitSettings } from './submit.ts'
import type { SettingsFlow } from './types.ts'

export interface SettingsFlows {
  begin(request: BeginRequest, session: Session): Promise<SettingsFlow>
  /** @throws 404, 403 for the flow of somebody else, 410 */
  read(id: string, session: Session): Promise<SettingsFlow & { identity: Identity }>
  /** The flow that leads to a new credential, begun in the transaction that signs somebody in by recovery. */
  beginRecovered(request: BeginRequest, identity: Identity, tx: Queryable): Promise<SettingsFlow>
  submit(flowId: string, caller: Caller, resolved: Resolved): Promise<SettingsOutcome>
}

export type SettingsFlowDeps = SubmitSettingsDeps

/** Whoever is signed in changes their own traits and password. @see https://www.ory.com/docs/kratos/self-service/flows/user-settings */
export function createSettingsFlow(d: SettingsFlowDeps): SettingsFlows {
  return {
    begin: (request, session) => beginSettings(d, request, session),
    async read(id, session) {
      const flow = await readFlow('settings', d, id, (found: SettingsFlow) => {
        if (found.identity_id !== session.identity_id) throw identityMismatch()
        assertProven(d, session, d.urls.page('settings', found.id))
      })
      return { ...flow, identity: session.identity }
    },
    beginRecovered: (request, identity, tx) => beginRecovered(d, request, identity, tx),
    submit: (flowId, caller, resolved) => submitSettings(d, flowId, caller, resolved),
  }
}
