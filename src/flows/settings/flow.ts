import type { Identity } from '../../identities/types.ts'
import type { Credentials, Resolved, Session } from '../../sessions/types.ts'
import { findFlow } from '../attempt.ts'
import { type BeginRequest, expiryOf } from '../begin.ts'
import { flowExpired, initiatedByOther, sessionMissing } from '../errors.ts'
import type { Caller } from '../types.ts'
import { assertProven, beginSettings } from './begin.ts'
import { type SettingsOutcome, type SubmitSettingsDeps, submitSettings } from './submit.ts'
import type { SettingsFlow } from './types.ts'

export interface SettingsFlows {
  begin(request: BeginRequest, session: Session): Promise<SettingsFlow>
  /**
   * @param _checkReader of no use: the session says who may read
   * @throws 401, 404, 403 for the flow of somebody else, 410
   */
  read(
    id: string,
    _checkReader: (csrfToken: string) => void,
    credentials: Credentials,
  ): Promise<SettingsFlow & { identity: Identity }>
  submit(flowId: string, caller: Caller, resolved: Resolved): Promise<SettingsOutcome>
}

export type SettingsFlowDeps = SubmitSettingsDeps

/** Whoever is signed in changes their own traits and password. @see https://www.ory.com/docs/kratos/self-service/flows/user-settings */
export function createSettingsFlow(d: SettingsFlowDeps): SettingsFlows {
  return {
    begin: (request, session) => beginSettings(d, request, session),
    async read(id, _checkReader, credentials) {
      const session = (await d.sessions.resolve(credentials))?.session
      if (!session) throw sessionMissing()
      const flow = await findFlow(d.store, id)
      if (flow.identity_id !== session.identity_id) throw initiatedByOther()
      assertProven(d, session, d.urls.page('settings', flow.id))
      if (expiryOf(flow, d.clock.now())) throw flowExpired('settings', flow, d.urls)
      return { ...flow, identity: session.identity }
    },
    submit: (flowId, caller, resolved) => submitSettings(d, flowId, caller, resolved),
  }
}
