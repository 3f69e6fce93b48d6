import type { Identity } from '../../identities/types.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { Resolved, Session } from '../../sessions/types.ts'
import { findFlow, type ShownAgain } from '../attempt.ts'
import type { BeginRequest } from '../begin.ts'
import { type NextForm, showNext } from '../engine/step.ts'
import { identityMismatch } from '../errors.ts'
import { readFlow } from '../read.ts'
import type { Caller } from '../types.ts'
import { assertProven, beginRecovered, beginSettings } from './begin.ts'
import {
  type FinishedOutside,
  finishOutside,
  isPrivileged,
  type SettingsOutcome,
  type SubmitSettingsDeps,
  submitSettings,
} from './submit.ts'
import type { SettingsFlow } from './types.ts'

export interface SettingsFlows {
  begin(request: BeginRequest, session: Session): Promise<SettingsFlow>
  /** @throws 404, 403 for the flow of another identity, 410 */
  read(id: string, session: Session): Promise<SettingsFlow & { identity: Identity }>
  /** The flow for a new credential, begun in the transaction that signs in by recovery. */
  beginRecovered(request: BeginRequest, identity: Identity, tx: Queryable): Promise<SettingsFlow>
  submit(flowId: string, caller: Caller, resolved: Resolved): Promise<SettingsOutcome>
  /** @throws 404 */
  find(id: string): Promise<SettingsFlow>
  /** Whether the caller has to sign in again before changing credentials. */
  needsRefresh(session: Session): boolean
  /** Makes a change that a method has checked outside the form. @throws 401, 403, FormRefused */
  finish(done: FinishedOutside): Promise<SettingsOutcome>
  /** Stores the flow after a step outside the form. */
  show(flow: SettingsFlow, next: NextForm): Promise<ShownAgain<SettingsFlow>>
}

export type SettingsFlowDeps = SubmitSettingsDeps

/** A signed-in caller changes their own traits and credentials. @see https://www.ory.com/docs/kratos/self-service/flows/user-settings */
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
    find: (id) => findFlow(d.store, id),
    needsRefresh: (session) => !isPrivileged(d, session),
    finish: (done) => finishOutside(d, done),
    show: (flow, next) => showNext(d, flow, next, undefined),
  }
}
